// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/base/time_limit.h"

#include <QByteArray>
#include <QFileDevice>
#include <QList>
#include <QMap>

#include <memory>
#include <optional>

namespace proclab {

/// Where a standard stream of a program leads.
class Redirect
{
public:
    enum class Target { Inherit, Pipe, Null, Descriptor, Output };

    Redirect() = default; ///< As inherit().
    /// Where this process's own leads.
    static Redirect inherit() { return {}; }
    /// To the Program, which reads or writes the other end.
    static Redirect pipe() { return Redirect(Target::Pipe, -1); }
    /// Nowhere: what is written is gone, and reading finds the end.
    static Redirect null() { return Redirect(Target::Null, -1); }
    /// To an open descriptor or file of this process; either stays this process's to close.
    static Redirect to(int descriptor) { return Redirect(Target::Descriptor, descriptor); }
    static Redirect to(const QFileDevice &file) { return to(file.handle()); }
    /// Of the error stream: where the program's output leads.
    static Redirect toOutput() { return Redirect(Target::Output, -1); }

    [[nodiscard]] Target target() const { return m_target; }
    [[nodiscard]] int descriptor() const { return m_descriptor; } ///< Of Target::Descriptor.

private:
    Redirect(Target target, int descriptor) : m_target(target), m_descriptor(descriptor) {}

    Target m_target = Target::Inherit;
    int m_descriptor = -1;
};

/// What to start, and how; see Program. Texts are bytes, as the system has them:
/// QFile::encodeName() makes them of a path.
struct ProgramOptions
{
    /// The program and its arguments. A name without a "/" is looked up in the PATH that the
    /// program gets. With shell: a command for it, and its arguments.
    QList<QByteArray> arguments = {};
    QByteArray program = {}; ///< Runs in place of arguments[0], which is only its name then.
    bool shell = false;      ///< Run by /bin/sh, or by `program`.
    QByteArray workingDirectory = {}; ///< Empty: this process's.
    /// Replaces this process's environment.
    std::optional<QMap<QByteArray, QByteArray>> environment = std::nullopt;

    Redirect input = {};
    Redirect output = {};
    Redirect error = {};
    int pipeSize = 0; ///< Bytes that each pipe holds; 0: as the system does (64 KiB).

    QList<int> passDescriptors = {}; ///< Open in the program too, under the same numbers.
    bool closeDescriptors = true;    ///< Closes all others; else the inheritable ones stay open.
    bool restoreSignals = true; ///< SIGPIPE and SIGXFSZ act, even if this process ignores them.
    bool newSession = false;
    /// 0: a group of its own, which a time limit ends as a whole. No value: this process's group,
    /// which programs need that talk to the terminal.
    std::optional<int> processGroup = 0;
    /// The program is killed when this process ends in any way; its own children are not.
    bool endWithParent = true;
    std::optional<int> umask = std::nullopt;
    std::optional<int> user = std::nullopt;
    std::optional<int> group = std::nullopt;
    std::optional<QList<int>> extraGroups = std::nullopt;

    // For run() only.
    std::optional<QByteArray> inputBytes = std::nullopt; ///< Its whole input.
    bool captureOutput = false;                          ///< Output and error by pipes.
    TimeLimit timeout = std::nullopt;
    bool check = false; ///< An exit code other than 0 is a ProcessFailed.
    /// SIGINT (Ctrl+C) goes to the program too, which then has a quarter of a second to end by
    /// itself before it is killed; after that the signal acts here. Not in several threads at once.
    bool passInterrupt = false;
    /// The most that is kept of output and of error; a program that writes more is ended with Full.
    qint64 maxCapturedBytes = qint64{1} << 30;
};

/// What became of a program.
struct ProgramReport
{
    QList<QByteArray> arguments = {};
    qint64 pid = 0;
    int exitCode = 0;                                ///< Below 0: the signal that ended it.
    std::optional<QByteArray> output = std::nullopt; ///< No value: it was not captured.
    std::optional<QByteArray> error = std::nullopt;

    /// ProcessFailed, which carries this report, unless the exit code is 0.
    [[nodiscard]] Result<void> check() const;
};

/// A program that runs beside this one. Like Python's subprocess: run() is subprocess.run(), open()
/// is Popen(). Unlike there, a time limit also ends what the program has started, a child of the
/// program that keeps a pipe open blocks nobody, and a program ends with its parent.
///
///     const auto listed = Program::run({.arguments = {"ls", "-l"}, .captureOutput = true});
///
/// Copies are handles of one program. When the last of them goes, its pipes are closed and the
/// program goes on. Threads: any; a QCoreApplication must exist.
/// Errors: InvalidArgument (options that contradict each other), OsError (it could not be started:
/// subject is the program or the working directory), Timeout and ProcessFailed (Error::program is
/// what it wrote until then), Full, InvalidState.
class Program
{
public:
    enum class Stream { Output, Error };

    /// Runs a program to its end.
    static Result<ProgramReport> run(const ProgramOptions &options);
    /// The exit code and the output, without its last line end, of a shell's command.
    static Result<std::pair<int, QByteArray>> statusAndOutput(const QByteArray &command);

    /// Starts a program.
    static Result<Program> open(const ProgramOptions &options);

    [[nodiscard]] qint64 pid() const;
    [[nodiscard]] const QList<QByteArray> &arguments() const;
    /// Its exit code; nothing while it runs.
    [[nodiscard]] Result<std::optional<int>> poll() const;
    /// Waits for its exit code: Timeout.
    Result<int> wait(TimeLimit limit = std::nullopt) const;

    /// This process's ends of its pipes; no value if there is none, or it is closed.
    [[nodiscard]] std::optional<int> inputDescriptor() const;
    [[nodiscard]] std::optional<int> descriptor(Stream stream) const;
    /// Writes all of @p bytes to its input. Timeout, perhaps after some of them; EndOfStream: the
    /// program reads no more; Closed.
    Result<void> write(QByteArrayView bytes, TimeLimit limit = std::nullopt) const;
    void closeInput() const;
    /// Waits until there is something to read, and returns up to @p most bytes of it. Timeout,
    /// EndOfStream, Closed. Nothing is read ahead.
    Result<QByteArray> read(Stream stream, qsizetype most = 65'536,
                            TimeLimit limit = std::nullopt) const;
    /// Sends @p input, closes that pipe, collects what comes, and waits for the end. After a
    /// Timeout, call it again without input to continue. Full: as for run(), but the program goes
    /// on.
    Result<ProgramReport> communicate(const QByteArray &input = {},
                                      TimeLimit limit = std::nullopt) const;

    Result<void> signal(int number) const;
    Result<void> terminate() const; ///< SIGTERM
    Result<void> kill() const;      ///< SIGKILL, also to its process group if it leads one.
    /// Closes the pipes and waits for its end.
    Result<int> leave(TimeLimit limit = std::nullopt) const;

private:
    struct Record;

    /// communicate(), which also ends, as Cancelled, when a guard holds SIGINT back.
    Result<ProgramReport> exchange(const QByteArray &input, TimeLimit limit,
                                   bool endsAtInterrupt) const;
    explicit Program(std::shared_ptr<Record> record) : m_record(std::move(record)) {}

    std::shared_ptr<Record> m_record;
};

/// Leaves a program at the end of its scope; see Program::leave().
class ProgramScope
{
public:
    explicit ProgramScope(Program program) : m_program(std::move(program)) {}
    ~ProgramScope() { static_cast<void>(m_program.leave()); }
    ProgramScope(const ProgramScope &) = delete;
    ProgramScope &operator=(const ProgramScope &) = delete;

private:
    const Program m_program;
};

} // namespace proclab
