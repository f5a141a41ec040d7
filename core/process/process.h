// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/call/task.h"
#include "core/process/environment.h"
#include "core/process/process_host.h"
#include "core/sync/shared_handle.h"

#include <concepts>
#include <optional>
#include <thread>
#include <vector>

namespace proclab {

/// How a Process is made; see Process.
struct ProcessOptions
{
    QString name = {}; ///< Empty: "Process-N".
    /// A daemon is ended with the process that started it, and starts none itself. No value: like
    /// the process that starts it.
    std::optional<bool> isDaemon = std::nullopt;
    std::optional<StartMethod> startMethod = std::nullopt; ///< No value: defaultStartMethod().
    Environment environment = {};
};

namespace process_detail {

/// Decodes the arguments of a Process, and releases the parcel that kept their handles.
template<Payload Arguments>
Arguments decodeArguments(std::span<const std::byte> bytes);
void releaseParcel();

/// A function as the target of a Process.
template<auto Function>
struct FunctionTarget
{
    using Arguments = typename TaskOf<Function>::Arguments;

    static void run(std::span<const std::byte> bytes, runtime::TaskResult & /*result*/)
    {
        std::apply(Function, decodeArguments<Arguments>(bytes));
    }
    static std::uint32_t number() { return runtime::taskNumber(s_ticket); }

private:
    inline static const std::uint32_t s_ticket = runtime::registerTask(
        {TaskOf<Function>::name(), runtime::RegisteredTask::Use::Target, &run});
};

/// A type with a run() as the target of a Process.
template<typename Body>
struct BodyTarget
{
    static void run(std::span<const std::byte> bytes, runtime::TaskResult & /*result*/)
    {
        decodeArguments<Body>(bytes).run();
    }
    static std::uint32_t number() { return runtime::taskNumber(s_ticket); }

private:
    inline static const std::uint32_t s_ticket =
        runtime::registerTask({typeid(Body).name(), runtime::RegisteredTask::Use::Target, &run});
};

} // namespace process_detail

/// A type whose values can be the body of a Process: they travel, and have a run().
template<typename T>
concept ProcessBody = Payload<T> && requires(T body)
{
    body.run();
};

/// One process that runs a function of this program. Like Python's multiprocessing.Process. The
/// program is its own worker: main() begins with workerMain().
///
///     Result<Process> child = Process::create<greet>({}, u"Ada"_s);
///     child->start();
///     child->join();
///
/// An exception that escapes the function is written to standard error, and the exit code is 1.
/// Unlike in Python, a process whose parent is killed is gone within a second, with all that it
/// started.
///
/// Copies are handles of one process, which goes on after the last of them is gone. Threads: any.
/// Blocking: start() until the process runs, join() at most for its limit.
/// Errors: InvalidState (started twice, used before the start, or started by another process than
/// this one), Closed (after close()), Timeout, OsError (it could not be started), EncodeError (an
/// argument cannot be encoded).
class Process
{
public:
    /// A process that is to call @p Function.
    template<auto Function, typename... A>
    static Result<Process> create(const ProcessOptions &options, A &&...arguments)
    {
        using Arguments = typename TaskOf<Function>::Arguments;
        return make(options, process_detail::FunctionTarget<Function>::number(),
                    Arguments(std::forward<A>(arguments)...));
    }
    /// A process that is to call body.run().
    template<ProcessBody Body>
    static Result<Process> create(const ProcessOptions &options, const Body &body)
    {
        return make(options, process_detail::BodyTarget<Body>::number(), body);
    }

    /// Forks the calling process. Like Python's os.fork(): gives no value in the new process, in
    /// which only the calling thread goes on, and its handle in this one. InvalidState without
    /// allowForkHere().
    static Result<std::optional<Process>> fork(const ProcessOptions &options = {});

    [[nodiscard]] QString name() const { return m_record->name; }
    [[nodiscard]] bool isDaemon() const { return m_record->isDaemon; }
    [[nodiscard]] StartMethod startMethod() const { return m_record->startMethod; }

    Result<void> start() const;
    /// Waits for its end. Timeout.
    Result<void> join(TimeLimit limit = std::nullopt) const;
    Result<bool> isAlive() const;
    /// InvalidState before it is started.
    Result<qint64> pid() const;
    /// No value while it runs; then its exit code, or below 0 the signal that ended it.
    Result<std::optional<int>> exitCode() const;
    /// Nothing while it runs; then how it ended.
    Result<std::optional<ProcessEnd>> end() const;
    /// A descriptor that is readable once the process has ended, even if it was joined; valid while
    /// a handle exists. InvalidState before it is started.
    Result<int> sentinel() const;

    /// What it did last, if it died or ended with another code than 0; no value while it runs.
    [[nodiscard]] std::optional<BlackBox> blackBox() const;

    /// Sends signal @p number, 1 to 64, to the process; without effect once it has ended, whatever
    /// has its PID by then. Like Python's os.kill() without that doubt. InvalidArgument.
    Result<void> sendSignal(int number) const;
    Result<void> interrupt() const; ///< SIGINT
    Result<void> terminate() const; ///< SIGTERM
    Result<void> kill() const;      ///< SIGKILL, also for all that it has started.
    /// Frees what the handle holds; everything then gives Closed. InvalidState while it runs.
    Result<void> close() const;

    /// Processes that this one has started and that have not ended.
    [[nodiscard]] static std::vector<Process> activeChildren();

    bool operator==(const Process &) const = default;

private:
    explicit Process(std::shared_ptr<StartedProcess> record) : m_record(std::move(record)) {}
    template<Payload Arguments>
    static Result<Process> make(const ProcessOptions &options, std::uint32_t task,
                                const Arguments &arguments)
    {
        std::vector<runtime::ObjectRef> objects;
        const HandleTransfer sent(objects);
        std::vector<std::byte> bytes;
        try {
            encodePayload(arguments, bytes);
        } catch (const std::exception &exception) {
            return encodeError(exception);
        }
        return makeEncoded(options, task, bytes, objects);
    }
    static Result<Process> makeEncoded(const ProcessOptions &options, std::uint32_t task,
                                       std::span<const std::byte> arguments,
                                       const std::vector<runtime::ObjectRef> &handles);
    /// Its host, if it may be started.
    [[nodiscard]] Result<std::shared_ptr<ProcessHost>> begin() const;
    /// The error of calls on a process that was not started, or is closed.
    [[nodiscard]] Result<void> usable(bool isStarted = true) const;

    std::shared_ptr<StartedProcess> m_record;
};

/// The process that calls.
class ThisProcess
{
public:
    [[nodiscard]] static QString name();
    [[nodiscard]] static qint64 pid();
    [[nodiscard]] static bool isDaemon();
    /// How it was started; no value in the first process of a tree.
    [[nodiscard]] static std::optional<StartMethod> startMethod();
    /// Keeps this process from ending by itself before @p thread has ended.
    static void attach(std::thread thread);
    /// The process that started this one; no value in the first process of a tree.
    struct Parent
    {
        qint64 pid = 0;
        QString name;

        [[nodiscard]] bool isAlive() const { return !join(std::chrono::nanoseconds(0)); }
        /// Whether it has ended within @p limit. This process may outlive it by half a second.
        [[nodiscard]] bool join(TimeLimit limit = std::nullopt) const;
    };
    [[nodiscard]] static std::optional<Parent> parent();
};

template<Payload Arguments>
Arguments process_detail::decodeArguments(std::span<const std::byte> bytes)
{
    auto arguments = decodePayload<Arguments>(bytes);
    releaseParcel();
    return arguments;
}

} // namespace proclab
