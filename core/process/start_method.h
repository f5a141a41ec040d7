// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QStringList>

namespace proclab {

/// How a process comes into being. When a forked process exits it runs the exit handlers that were
/// registered in it, and flushes its standard streams. It runs neither the handlers of its parent
/// or the zygote nor the destructors of static objects.
enum class StartMethod {
    Spawn,      ///< A fresh program image for each, through QProcess.
    ForkServer, ///< Forked from a small, single-threaded helper, the zygote, which is started
                ///< through QProcess.
    Fork,       ///< Forked: for a Process, from the process that starts it, where that is allowed
                ///< (see allowForkHere()); for all else, from the zygote.
};

/// Python's names for them: "spawn", "forkserver", "fork".
[[nodiscard]] QStringList startMethodNames();
[[nodiscard]] QString nameOf(StartMethod method);
/// The start method of that name. InvalidArgument, which lists the allowed names.
[[nodiscard]] Result<StartMethod> startMethodOf(const QString &name);

/// The start method of a Process whose options name none: Spawn, or in a Process the method by
/// which it was started itself. Any thread.
[[nodiscard]] StartMethod defaultStartMethod();
void setDefaultStartMethod(StartMethod method);

} // namespace proclab
