// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QString>

#include <memory>

namespace proclab {

class ExperimentRunner;
class RunLog;
struct Explanation;
struct Kind;
struct RunFacts;
struct RunNote;
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
void explainProcess(const RunFacts &facts, QList<Explanation> &found);
[[nodiscard]] QString processExplanationText(const RunLog &log, const RunNote &note);

} // namespace proclab
