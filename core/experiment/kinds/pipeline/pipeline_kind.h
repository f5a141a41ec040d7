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
namespace PipelineGauges {
enum Gauge { PutRate, GetRate, QueueDepth, ProducersBlocked, ConsumersWaiting };
}
/// Positions in the kind's roles.
namespace PipelineRoles {
enum Role { Producer, Consumer };
}

[[nodiscard]] Kind pipelineKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makePipelineRunner(RunnerContext context);
void explainPipeline(const RunFacts &facts, QList<Explanation> &found);
[[nodiscard]] QString pipelineExplanationText(const RunLog &log, const RunNote &note);

} // namespace proclab
