// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QElapsedTimer>
#include <QProcess>
#include <QStandardPaths>

#include <chrono>
#include <csignal>
#include <optional>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace proclab::test {

/// A short script in a python3 of its own, with whom it starts: all of them end with this object.
///
/// Blocking: waitForLine(), the destructor.
class PythonProgram
{
public:
    [[nodiscard]] static bool isInstalled()
    {
        return !QStandardPaths::findExecutable(QStringLiteral("python3")).isEmpty();
    }

    explicit PythonProgram(const QByteArray &script)
    {
        m_process.setProgram(QStringLiteral("python3"));
        m_process.setArguments({QStringLiteral("-c"), QString::fromUtf8(script)});
        m_process.setProcessChannelMode(QProcess::SeparateChannels);
        m_process.setChildProcessModifier([] {
            ::setpgid(0, 0); // What it forks stays in its group.
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        });
        m_process.start();
        m_process.waitForStarted();
        m_group = m_process.processId();
    }
    ~PythonProgram()
    {
        if (m_group <= 0)
            return;
        ::kill(static_cast<pid_t>(-m_group), SIGKILL);
        m_process.waitForFinished();
        // Whom it leaves comes to the test program, if that is a subreaper.
        while (::waitpid(static_cast<pid_t>(-m_group), nullptr, 0) > 0) {
        }
    }
    PythonProgram(const PythonProgram &) = delete;
    PythonProgram &operator=(const PythonProgram &) = delete;

    /// The rest of the next line that begins with @p word; nothing: none came within @p limit.
    std::optional<QByteArray> waitForLine(const QByteArray &word, std::chrono::milliseconds limit)
    {
        QElapsedTimer timer;
        timer.start();
        for (;;) {
            while (m_process.canReadLine()) {
                const QByteArray line = m_process.readLine().trimmed();
                if (line.startsWith(word))
                    return line.mid(word.size()).trimmed();
            }
            const qint64 left = limit.count() - timer.elapsed();
            if (left <= 0 || !m_process.waitForReadyRead(static_cast<int>(left)))
                return std::nullopt;
        }
    }
    /// SIGKILL, to the program alone.
    void kill()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    [[nodiscard]] QByteArray errors() { return m_process.readAllStandardError(); }

private:
    QProcess m_process;
    qint64 m_group = 0;
};

/// For what has to come.
constexpr std::chrono::seconds pythonPatience{30};

/// Runs a script that says "begun", and "ended" once it has what it waits for. Empty if that never
/// comes; else what is wrong with that.
inline QByteArray whyNoHang(const QByteArray &script)
{
    using namespace std::chrono_literals;
    PythonProgram python(script);
    if (!python.waitForLine("begun", pythonPatience))
        return "it has not begun: " + python.errors();
    if (python.waitForLine("ended", 1'500ms))
        return "this Python has been mended";
    return {};
}

} // namespace proclab::test

/// First in a test function that runs a PythonProgram.
#define PROCLAB_NEED_PYTHON()                                                                      \
    do {                                                                                           \
        if (!proclab::test::PythonProgram::isInstalled())                                          \
            QSKIP("no python3 here");                                                              \
    } while (false)
