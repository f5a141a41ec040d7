// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QStringList>

namespace proclab {

/// How a process comes into being. A forked one runs, when it exits, what was registered in it to
/// run then, and writes what its standard streams hold; what its parent or the zygote had
/// registered, and destructors of static objects, it leaves to these.
enum class StartMethod {
    Spawn,      ///< A fresh program image for each, through QProcess.
    ForkServer, ///< Forked from a small, single-threaded helper, the zygote, which is started
                ///< through QProcess.
    Fork,       ///< Forked: for a Process, from the process that starts it, where that is allowed
                ///< (see allowForkHere()); for all else, from the zygote.
};

/// Their names, as Python has them: "spawn", "forkserver", "fork".
[[nodiscard]] QStringList startMethodNames();
[[nodiscard]] QString nameOf(StartMethod method);
/// The one of that name; InvalidArgument, which tells what is allowed.
[[nodiscard]] Result<StartMethod> startMethodOf(const QString &name);

/// What a Process is started by if nothing else is said: Spawn, or in a Process what it was started
/// by itself. Any thread.
[[nodiscard]] StartMethod defaultStartMethod();
void setDefaultStartMethod(StartMethod method);

} // namespace proclab
