// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/runner.h"

#include <memory>

namespace proclab {

/// Positions in GaugeSample::values, by kind; the kinds' charts name them.
namespace PoolGauges {
enum Gauge { Throughput, QueueDepth };
}
namespace PipelineGauges {
enum Gauge { PutRate, GetRate, QueueDepth, ProducersBlocked, ConsumersWaiting };
}
namespace CounterGauges {
enum Gauge { IncrementRate, LockWait, Value };
}

[[nodiscard]] std::unique_ptr<ExperimentRunner> makePoolRunner(RunnerContext context);
[[nodiscard]] std::unique_ptr<ExperimentRunner> makePipelineRunner(RunnerContext context);
[[nodiscard]] std::unique_ptr<ExperimentRunner> makeCounterRunner(RunnerContext context);

} // namespace proclab
