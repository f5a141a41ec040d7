// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"
#include "core/experiment/spec/spec.h"

#include <memory>

namespace proclab {

/// A run as the sampler would leave it, computed without a process: always the same, so that views
/// can be tested on it. Times follow a small simulation of the kind.
struct SampleRun
{
    ExperimentSpec spec;
    std::shared_ptr<RunLog> log;
    StageSnapshotPointer snapshot; ///< At the instant asked for.
};

struct SamplePoolConfig
{
    int workers = 4;
    int tasks = 24;
    double seconds = 4.26; ///< The instant to stop at; beyond the end of the work: an ended run.
    double meanTaskSeconds = 0.9;
    double crashSeconds = 3.45; ///< When worker 3 dies; 0: never.
};
[[nodiscard]] SampleRun samplePool(const SamplePoolConfig &config = {});

struct SamplePipelineConfig
{
    int producers = 3;
    int consumers = 2;
    int capacity = 16;
    int itemsEach = 80;
    double seconds = 6.84;
};
[[nodiscard]] SampleRun samplePipeline(const SamplePipelineConfig &config = {});

struct SampleCounterConfig
{
    int processes = 2;
    int increments = 10'000;
    bool locked = false;
    double progress = 1; ///< 0 … 1; 1: ended.
};
[[nodiscard]] SampleRun sampleCounter(const SampleCounterConfig &config = {});

} // namespace proclab
