// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace proclab {

class ExperimentRunner;
struct Kind;
struct RunnerContext;

/// Positions in the kind's gauges.
namespace PipeGauges {
enum Gauge { MessageRate, Bandwidth, RoundTrip, OnTheWay };
}
/// Positions in the kind's roles.
namespace PipeRoles {
enum Role { Child };
}

[[nodiscard]] Kind pipeKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makePipeRunner(RunnerContext context);

} // namespace proclab
