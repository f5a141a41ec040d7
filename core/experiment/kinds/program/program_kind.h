// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace proclab {

class ExperimentRunner;
struct Kind;
struct RunnerContext;

/// Positions in the kind's gauges.
namespace ProgramGauges {
enum Gauge { Alive, Tree, OutputBytes, ErrorBytes };
}
/// Positions in the kind's roles.
namespace ProgramRoles {
enum Role { Program };
}

[[nodiscard]] Kind programKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makeProgramRunner(RunnerContext context);

} // namespace proclab
