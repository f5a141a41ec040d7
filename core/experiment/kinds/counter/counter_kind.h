// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace proclab {

class ExperimentRunner;
struct Kind;
struct RunnerContext;

/// Positions in the kind's gauges.
namespace CounterGauges {
enum Gauge { IncrementRate, LockWait, Value };
}
/// Positions in the kind's roles.
namespace CounterRoles {
enum Role { Process };
}

[[nodiscard]] Kind counterKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makeCounterRunner(RunnerContext context);

} // namespace proclab
