// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <memory>

namespace proclab {

class ExperimentRunner;
class ExperimentSpec;
struct Kind;
struct RunnerContext;

/// Positions in the kind's gauges.
namespace ForkGauges {
enum Gauge { Copied, Shared };
}
/// Positions in the kind's roles.
namespace ForkRoles {
enum Role { Parent, Child };
}

/// How many pages the parent fills, and of how many blocks each process's memory is drawn: some
/// hundred, and fewer where there are many children.
struct ForkMemory
{
    qint64 pages = 0;
    qint64 cells = 0;
};
[[nodiscard]] ForkMemory forkMemory(const ExperimentSpec &spec);

[[nodiscard]] Kind forkKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makeForkRunner(RunnerContext context);

} // namespace proclab
