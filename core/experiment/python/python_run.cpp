// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/python/python_run.h"

#include "core/base/signal_name.h"

#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QVersionNumber>

#include <cerrno>
#include <csignal>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

class PythonRunText
{
    Q_DECLARE_TR_FUNCTIONS(PythonRun)
};

constexpr auto interpreter = "python3"_L1;
constexpr auto versionLimit = 20s;
constexpr auto killLimit = 2s;
constexpr qint64 mostOutput = 64 << 20;

Error failure(const QString &what)
{
    return {ErrorCode::ProcessFailed, interpreter, what};
}

QString lastLine(const QByteArray &text)
{
    return QString::fromUtf8(text.trimmed().split('\n').last().trimmed());
}

Error failureOf(const ProgramReport &report)
{
    const QString said = lastLine(report.error.value_or(QByteArray()));
    const QString end = report.exitCode < 0
                            ? signalName(-report.exitCode)
                            : PythonRunText::tr("exit code %1").arg(report.exitCode);
    return failure(said.isEmpty() ? end : QString(said % u", "_s % end));
}

} // namespace

std::optional<double> PythonResult::figure(const QString &key) const
{
    if (key == u"elapsed_s"_s)
        return elapsedSeconds;
    const QJsonValue value = outcome.contains(key) ? outcome[key] : totals[key];
    return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

Result<PythonResult> PythonRun::run()
{
    const auto said =
        outputOf({"-c", "import platform; print(platform.python_version())"}, versionLimit);
    if (!said)
        return said.error();
    PythonResult result;
    result.version = lastLine(*said);
    const auto version = QVersionNumber::fromString(result.version);
    if (version.isNull())
        return failure(PythonRunText::tr("it tells no version"));
    if (version < QVersionNumber(3, 9))
        return invalidArgument(interpreter,
                               PythonRunText::tr("this is version %1").arg(result.version),
                               PythonRunText::tr("needed: 3.9 or later"));
    // Start methods other than fork read the program once more, so that it must be a file.
    const QTemporaryDir folder;
    QFile file(folder.filePath(u"experiment.py"_s));
    const QByteArray text = m_script.toUtf8();
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.flush())
        return osError(file.fileName(), errno, PythonRunText::tr("write the program"));
    const auto output = outputOf({QFile::encodeName(file.fileName())}, m_limit);
    if (!output)
        return output.error();
    const QJsonObject line = QJsonDocument::fromJson(lastLine(*output).toUtf8()).object();
    result.elapsedSeconds = line[u"elapsed_s"_s].toDouble();
    result.totals = line[u"totals"_s].toObject();
    result.outcome = line[u"outcome"_s].toObject();
    if (result.totals.isEmpty())
        return failure(PythonRunText::tr("it has printed no result"));
    return result;
}

/// Of python3 with these arguments.
Result<QByteArray> PythonRun::outputOf(const QList<QByteArray> &arguments,
                                       std::chrono::seconds limit)
{
    // As the program's own texts, whatever the locale.
    const ProgramOptions options = {
        .arguments = QList<QByteArray>{interpreter.data(), "-X", "utf8"} + arguments,
        .input = Redirect::null(),
        .output = Redirect::pipe(),
        .error = Redirect::pipe(),
        .maxCapturedBytes = mostOutput};
    std::optional<Program> program;
    {
        const std::lock_guard lock(m_mutex);
        if (m_isStopped)
            return Error{ErrorCode::Cancelled, interpreter};
        const auto opened = Program::open(options);
        if (!opened && opened.error().systemCode == ENOENT)
            return invalidArgument(interpreter, PythonRunText::tr("it is not in PATH"),
                                   PythonRunText::tr("needed: 3.9 or later"));
        if (!opened)
            return opened.error();
        m_program = program = *opened;
    }
    const auto report = program->communicate({}, limit);
    if (!report) {
        static_cast<void>(program->kill());
        static_cast<void>(program->leave(killLimit));
    }
    const std::lock_guard lock(m_mutex);
    m_program.reset();
    // Whom it has left, if it was killed itself.
    ::kill(static_cast<pid_t>(-program->pid()), SIGKILL);
    if (m_isStopped)
        return Error{ErrorCode::Cancelled, interpreter};
    if (!report)
        return report.error();
    if (report->exitCode != 0)
        return failureOf(*report);
    return *report->output;
}

void PythonRun::stop()
{
    const std::lock_guard lock(m_mutex);
    m_isStopped = true;
    if (m_program)
        static_cast<void>(m_program->kill());
}

} // namespace proclab
