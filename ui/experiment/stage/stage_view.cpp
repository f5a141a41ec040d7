// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/stage_view.h"

#include "ui/counter/counter_stage.h"
#include "ui/executor/executor_stage.h"
#include "ui/fork/fork_stage.h"
#include "ui/pipe/pipe_stage.h"
#include "ui/pipeline/pipeline_stage.h"
#include "ui/pool/pool_stage.h"
#include "ui/process/lifeline_stage.h"
#include "ui/program/program_stage.h"

namespace proclab {

namespace {

template<typename Stage>
StageView *make(QWidget *parent)
{
    return new Stage(parent);
}

struct StageRow
{
    QLatin1StringView kind;
    StageView *(*make)(QWidget *parent);
};

/// The table: one line a kind.
constexpr StageRow stages[] = {
    {QLatin1StringView("counter"), make<CounterStage>},
    {QLatin1StringView("executor"), make<ExecutorStage>},
    {QLatin1StringView("fork"), make<ForkStage>},
    {QLatin1StringView("pipe"), make<PipeStage>},
    {QLatin1StringView("pipeline"), make<PipelineStage>},
    {QLatin1StringView("pool"), make<PoolStage>},
    {QLatin1StringView("process"), make<LifelineStage>},
    {QLatin1StringView("program"), make<ProgramStage>},
};

} // namespace

StageView *makeStage(const QString &kind, QWidget *parent)
{
    for (const StageRow &row : stages) {
        if (kind == row.kind)
            return row.make(parent);
    }
    return nullptr;
}

} // namespace proclab
