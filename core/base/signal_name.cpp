// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/signal_name.h"

#include <QCoreApplication>

#include <cstring>

using namespace Qt::StringLiterals;

namespace proclab {

QString signalName(int signal)
{
    const char *name = ::sigabbrev_np(signal);
    return name ? QString(u"SIG"_s % QString::fromLatin1(name))
                : QCoreApplication::translate("Error", "signal %1").arg(signal);
}

} // namespace proclab
