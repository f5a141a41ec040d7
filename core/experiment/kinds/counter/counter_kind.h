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
namespace CounterGauges {
enum Gauge { IncrementRate, LockWait, Value };
}
/// Positions in the kind's roles.
namespace CounterRoles {
enum Role { Process };
}

[[nodiscard]] Kind counterKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makeCounterRunner(RunnerContext context);
void explainCounter(const RunFacts &facts, QList<Explanation> &found);
[[nodiscard]] QString counterExplanationText(const RunLog &log, const RunNote &note);

} // namespace proclab
