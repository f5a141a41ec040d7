// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/signal_name.h"

#include "core/base/error.h"

#include <cstring>

using namespace Qt::StringLiterals;

namespace proclab {

QString signalName(int signal)
{
    const char *name = ::sigabbrev_np(signal);
    return name ? QString(u"SIG"_s % QString::fromLatin1(name))
                : ErrorText::tr("signal %1").arg(signal);
}

} // namespace proclab
