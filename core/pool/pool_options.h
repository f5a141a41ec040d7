// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/environment.h"
#include "core/process/start_method.h"

#include <QtGlobal>

#include <chrono>
#include <optional>

namespace proclab {

class Engine;

/// What becomes of a task whose worker died in it.
enum class OnCrash {
    Fail,
    Retry, ///< Once more; a second death fails it.
    Break, ///< It fails, and so does everything else: the pool is broken.
};

/// What becomes of accepted calls that have not started when a pool closes.
enum class PendingCalls { Run, Cancel };

/// Options of a Pool or an Executor.
struct PoolOptions
{
    std::optional<int> workers = std::nullopt; ///< 1 to 256; no value: usableCores().
    int maxWorkers = 256; ///< How many resize() may ask for, at least `workers`; up to 256.
    StartMethod startMethod = StartMethod::ForkServer;
    /// After so many tasks a worker is replaced; no value: never.
    std::optional<int> maxTasksPerWorker = std::nullopt;
    std::optional<OnCrash> onCrash =
        std::nullopt;                         ///< No value: Fail for a Pool, Break for an Executor.
    std::chrono::milliseconds taskTimeout{0}; ///< Counted from the start of the task; 0: none.
    /// A worker that waits longer for a task ends, and another one starts when it is needed; 0:
    /// none ends.
    std::chrono::milliseconds idleLimit{0};
    int maxNesting = 10; ///< How deep workers may be nested that have pools of their own.
    /// Room for all arguments that wait or are in use; memory is taken when it is used.
    quint64 argumentBytes = quint64{16} << 30;
    /// Room for the results of one worker that nobody has fetched yet; taken when it is used.
    quint64 resultBytesPerWorker = quint64{1} << 30;
    Environment environment = {}; ///< Of each worker.
    Engine *engine = nullptr;     ///< Null: Engine::global().
};

/// The shared memory that a pool's calls hold at one moment, in bytes.
struct PoolMemory
{
    quint64 arguments = 0; ///< Of calls that wait or run; small ones need none.
    quint64 results = 0;   ///< Written by workers and not taken yet; small ones need none.
};

} // namespace proclab
