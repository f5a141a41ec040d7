// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace proclab {

class ExperimentRunner;
struct Kind;
struct RunnerContext;

/// Positions in the kind's gauges.
namespace PoolGauges {
enum Gauge { Throughput, QueueDepth };
}
/// Positions in the kind's roles.
namespace PoolRoles {
enum Role { Worker };
}

[[nodiscard]] Kind poolKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makePoolRunner(RunnerContext context);

} // namespace proclab
