// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// How a worker process comes into being.
enum class StartMethod {
    Spawn,      ///< A fresh program image for each, through QProcess.
    ForkServer, ///< Forked from a small, single-threaded helper, the zygote, which is started
                ///< through QProcess.
};

/// Of "spawn" or "forkserver"; anything else is ForkServer, the default.
[[nodiscard]] inline StartMethod startMethodOf(const QString &name)
{
    return name == QLatin1StringView("spawn") ? StartMethod::Spawn : StartMethod::ForkServer;
}

} // namespace proclab
