// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace proclab {

class ExperimentRunner;
struct Kind;
struct RunnerContext;

/// Positions in the kind's gauges.
namespace PipelineGauges {
enum Gauge { PutRate, GetRate, QueueDepth, ProducersBlocked, ConsumersWaiting };
}
/// Positions in the kind's roles.
namespace PipelineRoles {
enum Role { Producer, Consumer };
}

[[nodiscard]] Kind pipelineKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makePipelineRunner(RunnerContext context);

} // namespace proclab
