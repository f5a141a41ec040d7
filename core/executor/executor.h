// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/call/future_wait.h"
#include "core/pool/pool_options.h"
#include "core/pool/typed_calls.h"

#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace proclab {

using ExecutorOptions = PoolOptions;

/// Options of Executor::map().
struct MapOptions
{
    int chunkSize = 1; ///< How many calls travel together; 1 or more.
    /// The time within which all results must have come, counted from the call of map().
    TimeLimit timeout = std::nullopt;
    /// How many inputs may be read ahead of their results; 1 or more. No value: all, at once.
    std::optional<int> lookAhead = std::nullopt;
};

/// Worker processes that share calls of this program's own functions; each call has a Future. Like
/// Python's ProcessPoolExecutor.
///
///     Result<Executor> executor = Executor::open({.workers = 4});
///     Future<int> nine = executor->submit<square>(3);
///     for (auto squares = executor->map<square>(numbers); const auto value = squares.next();)
///         use(*value);
///
/// The program is its own worker: main() begins with workerMain(). Functions are named as template
/// arguments (see TaskOf). Calls start in the order of submission. Workers are started when calls
/// need them. A worker that dies breaks the executor, unless OnCrash says otherwise: its call and
/// all others fail with BrokenPool, which tells how it died; they never hang.
///
/// Copies are handles of one executor. Once the last copy is gone it accepts no more calls, as
/// after shutdown(Wait::No); ExecutorScope waits. The program ends after the accepted calls are
/// done.
///
/// Threads: any, also several at once; no caller needs an event loop.
/// Blocking: shutdown(Wait::Yes), join(), and what waits for results. Not from a Future's callback.
/// Errors: RemoteError (the function threw; Error::remote says what), EncodeError (a value has no
/// bytes), BrokenPool (a worker died, none can be started, or the initializer failed), WorkerDied
/// (with OnCrash::Fail or Retry), Timeout, Cancelled, ShutDown (also of what a forced stop leaves).
class Executor
{
public:
    enum class Wait { No, Yes };
    using Pending = PendingCalls;

    /// InvalidArgument, OsError, InvalidState: no QCoreApplication, or nested too deep.
    static Result<Executor> open(const ExecutorOptions &options = {});
    /// As open(); each worker calls @p Initializer once before its first call, a replacement too.
    /// If it throws, the executor logs that and is broken.
    template<auto Initializer, typename... A>
    static Result<Executor> openWith(const ExecutorOptions &options, A &&...arguments)
    {
        const auto initializer = initializerCall<Initializer>(std::forward<A>(arguments)...);
        return initializer ? open(options, *initializer) : initializer.error();
    }

    /// Calls @p Function in a worker. The Future also carries what goes wrong at once.
    template<auto Function, typename... A>
    auto submit(A &&...arguments)
    {
        return submitCall<Function>(core(), std::forward<A>(arguments)...);
    }
    /// Calls @p Function with the elements of @p inputs side by side, up to the end of the
    /// shortest; the values come in that order. All calls are submitted now, or as many as the
    /// options look ahead. A call that fails gives its error in its place. When the time is up, the
    /// next reading gives Timeout, the calls that have not started are cancelled, and the stream
    /// ends. If an option is not allowed, the first reading gives InvalidArgument. Throws what
    /// reading the inputs throws.
    template<auto Function, std::ranges::input_range... Inputs>
    auto map(const MapOptions &options, Inputs... inputs)
    {
        using Value = typename TaskOf<Function>::Value;
        auto results = openStream(streamInputs<Function>(std::move(inputs)...), options);
        return results ? ResultStream<Value>(std::move(*results))
                       : ResultStream<Value>(results.error());
    }
    template<auto Function, std::ranges::input_range... Inputs>
    auto map(Inputs... inputs)
    {
        return map<Function>(MapOptions(), std::move(inputs)...);
    }

    /// Sets the most workers from now on; see Pool::resize().
    Result<void> resize(int workers);
    /// Refuses further calls with ShutDown. The workers end when the accepted calls are done; with
    /// Cancel, when the running ones are, and the others are cancelled. May be called again, to
    /// cancel or to wait.
    void shutdown(Wait wait = Wait::Yes, Pending pending = Pending::Run);
    /// Ends the workers at once by SIGTERM, after a second by SIGKILL; calls that are not done fail
    /// with ShutDown.
    void terminateWorkers();
    /// The same by SIGKILL.
    void killWorkers();
    /// Waits until the last worker has ended and is reaped: Timeout. InvalidState before shutdown()
    /// or a forced stop, and in a Future's callback.
    Result<void> join(TimeLimit limit = std::nullopt);

    [[nodiscard]] int workerCount() const;
    /// The PIDs of the workers that live now.
    [[nodiscard]] std::vector<qint64> workerPids() const;

private:
    struct Handle;

    explicit Executor(std::shared_ptr<PoolCore> core);
    static Result<Executor> open(const ExecutorOptions &options,
                                 const InitializerCall &initializer);
    Result<std::shared_ptr<ResultSource>> openStream(StreamInputs inputs,
                                                     const MapOptions &options);
    [[nodiscard]] const std::shared_ptr<PoolCore> &core() const;

    std::shared_ptr<Handle> m_handle;
};

/// Shuts an executor down at the end of a scope, and waits. Like Python's `with`.
class ExecutorScope
{
public:
    explicit ExecutorScope(Executor executor) : m_executor(std::move(executor)) {}
    ExecutorScope(const ExecutorScope &) = delete;
    ExecutorScope &operator=(const ExecutorScope &) = delete;
    ~ExecutorScope() { m_executor.shutdown(); }

private:
    Executor m_executor;
};

} // namespace proclab
