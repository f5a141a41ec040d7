// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/worker_pool_figures.h"

#include <memory>

namespace proclab {

class ExperimentRunner;
class ExperimentSpec;
struct Kind;
struct RunnerContext;

namespace ExecutorGauges = WorkerPoolGauges;
/// Positions in the kind's roles.
namespace ExecutorRoles {
enum Role { Worker };
}

[[nodiscard]] Kind executorKind();
[[nodiscard]] std::unique_ptr<ExperimentRunner> makeExecutorRunner(RunnerContext context);

/// How many workers a run of @p spec starts: no more than there are tasks.
[[nodiscard]] int executorWorkers(const ExperimentSpec &spec);
/// Whether the parent reads results as they come; else in the order of submission.
[[nodiscard]] bool readsAsCompleted(const ExperimentSpec &spec);

} // namespace proclab
