// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace proclab {

class ExperimentRunner;
struct Kind;
struct RunnerContext;

/// Positions in the kind's gauges.
namespace ProcessGauges {
enum Gauge { Alive };
}
/// Positions in the kind's roles.
namespace ProcessRoles {
enum Role { Child };
}

[[nodiscard]] Kind processKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makeProcessRunner(RunnerContext context);

} // namespace proclab
