// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/pool/pool_options.h"
#include "core/pool/typed_calls.h"

#include <iterator>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace proclab {

/// The handle of an asynchronous call, under Python's name for it.
template<typename T>
using AsyncResult = Future<T>;

/// Worker processes that share calls of this program's own functions. Like Python's
/// multiprocessing.Pool. Unlike it, a dying worker costs at most one call, which fails with
/// WorkerDied, and no call ever hangs.
///
///     Result<Pool> pool = Pool::open({.workers = 4});
///     Result<int> nine = pool->apply<square>(3);
///     Result<std::vector<int>> squares = pool->map<square>(std::vector{1, 2, 3});
///
/// The program is its own worker: main() begins with workerMain(). Functions are named as template
/// arguments (see TaskOf). Calls start in the order of submission. A pool that leaves its scope
/// ends as by terminate().
///
/// Threads: any, also several at once; no caller needs an event loop.
/// Blocking: open(), apply(), map(), starmap(), join(), the destructor, and what waits for results.
/// Errors: RemoteError (the function threw; Error::remote says what), EncodeError (a value has no
/// bytes), WorkerDied, Timeout, Cancelled (terminate()), ShutDown, BrokenPool (no worker can be
/// started, or the initializer failed).
class Pool
{
public:
    /// Starts the workers and waits until they are ready. InvalidArgument, OsError, BrokenPool,
    /// InvalidState without a QCoreApplication.
    static Result<Pool> open(const PoolOptions &options = {});
    /// As open(); each worker calls @p Initializer once before its first call, a replacement too.
    /// If it throws, the pool is broken.
    template<auto Initializer, typename... A>
    static Result<Pool> openWith(const PoolOptions &options, A &&...arguments)
    {
        const auto initializer = initializerCall<Initializer>(std::forward<A>(arguments)...);
        return initializer ? open(options, *initializer) : initializer.error();
    }
    Pool(Pool &&other) noexcept;
    Pool &operator=(Pool &&other) noexcept;
    /// terminate() and join(); a pool that was not closed before is reported by a warning.
    ~Pool();

    /// Calls @p Function in a worker and waits for its value.
    template<auto Function, typename... A>
    auto apply(A &&...arguments)
    {
        return applyAsync<Function>(std::forward<A>(arguments)...).result();
    }
    /// The same without waiting. The handle also carries what goes wrong at once.
    template<auto Function, typename... A>
    auto applyAsync(A &&...arguments)
    {
        return submitCall<Function>(m_core, std::forward<A>(arguments)...);
    }

    /// Calls @p Function with each of @p inputs, in chunks of @p chunkSize (0: a quarter of an even
    /// share of the workers), and waits for all values, which come in the order of the inputs. If
    /// calls fail, it gives the error of the first in that order, once all have ended. Throws what
    /// reading the inputs throws.
    template<auto Function, std::ranges::input_range Inputs>
    auto map(Inputs &&inputs, std::size_t chunkSize = 0)
    {
        return mapAsync<Function>(std::forward<Inputs>(inputs), chunkSize).result();
    }
    template<auto Function, std::ranges::input_range Inputs>
    auto mapAsync(Inputs &&inputs, std::size_t chunkSize = 0)
    {
        return mapEncoded<Function>(inputs, chunkSize, OneArgument());
    }
    /// The same for inputs that are tuples of arguments.
    template<auto Function, std::ranges::input_range Inputs>
    auto starmap(Inputs &&inputs, std::size_t chunkSize = 0)
    {
        return starmapAsync<Function>(std::forward<Inputs>(inputs), chunkSize).result();
    }
    template<auto Function, std::ranges::input_range Inputs>
    auto starmapAsync(Inputs &&inputs, std::size_t chunkSize = 0)
    {
        return mapEncoded<Function>(inputs, chunkSize, TupleOfArguments());
    }

    /// Gives the values one by one, in the order of the inputs. The stream keeps @p inputs, and
    /// reads at most two chunks for each worker ahead of what is asked for.
    template<auto Function, std::ranges::input_range Inputs>
    auto imap(Inputs inputs, std::size_t chunkSize = 1)
    {
        return lazily<Function>(std::move(inputs), chunkSize, StreamOrder::OfInputs);
    }
    /// The same in the order in which the calls end.
    template<auto Function, std::ranges::input_range Inputs>
    auto imapUnordered(Inputs inputs, std::size_t chunkSize = 1)
    {
        return lazily<Function>(std::move(inputs), chunkSize, StreamOrder::OfCompletion);
    }

    /// Changes the number of workers, 1 to PoolOptions::maxWorkers, while calls go on. Additional
    /// workers start at once. Surplus workers end at once if they are idle, else after the calls
    /// that they have taken. No call is lost. InvalidArgument; ShutDown after close(); BrokenPool.
    Result<void> resize(int workers);
    /// Refuses further calls with ShutDown. The workers end when the accepted calls are done.
    void close();
    /// Ends the workers at once; calls that are not done end as Cancelled.
    void terminate();
    /// Waits until the last worker has ended and is reaped: Timeout, InvalidState before close() or
    /// terminate().
    Result<void> join(TimeLimit limit = std::nullopt);

    /// The number that was asked for; workers that have been asked to leave may still be there.
    [[nodiscard]] int workerCount() const;
    /// The PIDs of the workers that live now.
    [[nodiscard]] std::vector<qint64> workerPids() const;
    /// What calls hold now. Once all have ended, only the initializer's arguments remain.
    [[nodiscard]] PoolMemory memoryInUse() const;

private:
    struct OneArgument
    {
    };
    struct TupleOfArguments
    {
    };

    explicit Pool(std::shared_ptr<PoolCore> core);
    static Result<Pool> open(const PoolOptions &options, const InitializerCall &initializer);
    [[nodiscard]] std::shared_ptr<ResultSource>
    openStream(StreamInputs inputs, std::size_t chunkSize, StreamOrder order) const;

    template<auto Function, typename Input>
    static void encodeOne(EncodedCalls &calls, const Input &input, OneArgument)
    {
        encodeCall<Function>(calls, input);
    }
    template<auto Function, typename Input>
    static void encodeOne(EncodedCalls &calls, const Input &input, TupleOfArguments)
    {
        std::apply([&calls](const auto &...part) { encodeCall<Function>(calls, part...); }, input);
    }
    template<auto Function, typename Inputs, typename Form>
    static Result<std::shared_ptr<const EncodedCalls>> encodeAll(Inputs &inputs, Form form)
    {
        auto calls = std::make_shared<EncodedCalls>();
        if constexpr (std::ranges::sized_range<Inputs> &&
                      FixedPayload<typename TaskOf<Function>::Arguments>)
            calls->bytes.reserve(std::size_t(std::ranges::size(inputs)) *
                                 Codec<typename TaskOf<Function>::Arguments>::fixedBytes);
        for (auto &&input : inputs) {
            try {
                encodeOne<Function>(*calls, input, form);
            } catch (const EncodeFailure &failure) {
                return encodeError(failure);
            }
        }
        return std::shared_ptr<const EncodedCalls>(std::move(calls));
    }

    template<auto Function, typename Inputs, typename Form>
    auto mapEncoded(Inputs &inputs, std::size_t chunkSize, Form form)
    {
        using Value = typename TaskOf<Function>::Value;
        std::vector<runtime::ObjectRef> objects;
        const HandleTransfer sent(objects);
        const auto calls = encodeAll<Function>(inputs, form);
        return AsyncResult<std::vector<Value>>(
            submitCalls(m_core, calledTask<Function>(), objects, calls, chunkSize),
            [](const FutureState &state) {
                return static_cast<const GatheredState &>(state).values<Value>();
            });
    }

    template<auto Function, typename Inputs>
    auto lazily(Inputs inputs, std::size_t chunkSize, StreamOrder order)
    {
        using Value = typename TaskOf<Function>::Value;
        return ResultStream<Value>(
            openStream(streamInputs<Function>(std::move(inputs)), chunkSize, order));
    }

    std::shared_ptr<PoolCore> m_core;
};

} // namespace proclab
