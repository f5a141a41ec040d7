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
namespace PipeGauges {
enum Gauge { MessageRate, Bandwidth, RoundTrip, OnTheWay };
}
/// Positions in the kind's roles.
namespace PipeRoles {
enum Role { Child };
}

[[nodiscard]] Kind pipeKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makePipeRunner(RunnerContext context);
void explainPipe(const RunFacts &facts, QList<Explanation> &found);
[[nodiscard]] QString pipeExplanationText(const RunLog &log, const RunNote &note);

} // namespace proclab
