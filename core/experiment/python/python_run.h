// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/program/program.h"

#include <QJsonObject>
#include <QString>

#include <chrono>
#include <mutex>
#include <optional>

namespace proclab {

/// What a program of pythonScript() came to.
struct PythonResult
{
    QString version; ///< Of Python: "3.11.2".
    double elapsedSeconds = 0;
    QJsonObject totals;  ///< As in our result.
    QJsonObject outcome; ///< As in our result.

    /// The figure with this key, as those of a Measure; nothing: it was not measured.
    [[nodiscard]] std::optional<double> figure(const QString &key) const;
};

/// Runs a program of pythonScript() with the python3 in PATH. Whoever it starts is in its process
/// group, which ends with it.
///
/// Threads: run() in one, blocking; stop() from any.
class PythonRun
{
public:
    PythonRun(QString script, std::chrono::seconds limit)
        : m_script(std::move(script))
        , m_limit(limit)
    {}

    /// Once. InvalidArgument: there is no python3, or it is older than 3.9; ProcessFailed: the
    /// program or python3 itself failed; Timeout; Cancelled by stop(); OsError.
    Result<PythonResult> run();
    /// Ends the program; run() returns soon.
    void stop();

private:
    Result<QByteArray> outputOf(const QList<QByteArray> &arguments, std::chrono::seconds limit);

    const QString m_script;
    const std::chrono::seconds m_limit;
    std::mutex m_mutex;
    // Guarded by m_mutex.
    std::optional<Program> m_program;
    bool m_isStopped = false;
};

} // namespace proclab
