// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/worker_pool_figures.h"

#include <QList>
#include <QString>

#include <memory>

namespace proclab {

class ExperimentRunner;
class ExperimentSpec;
class RunLog;
struct Explanation;
struct Kind;
struct RunFacts;
struct RunNote;
struct RunnerContext;

namespace PoolGauges = WorkerPoolGauges;
/// Positions in the kind's roles.
namespace PoolRoles {
enum Role { Worker };
}

[[nodiscard]] Kind poolKind();
/// How many tasks a worker takes at once; for "auto" by Python's rule: four chunks a worker.
[[nodiscard]] quint64 poolChunkSize(const ExperimentSpec &spec);
[[nodiscard]] std::unique_ptr<ExperimentRunner> makePoolRunner(RunnerContext context);
void explainPool(const RunFacts &facts, QList<Explanation> &found);
[[nodiscard]] QString poolExplanationText(const RunLog &log, const RunNote &note);

} // namespace proclab
