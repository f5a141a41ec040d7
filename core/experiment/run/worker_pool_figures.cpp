// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/worker_pool_figures.h"

#include "core/experiment/run/run_result.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class WorkerPoolText
{
    Q_DECLARE_TR_FUNCTIONS(WorkerPool)
};

std::optional<double> throughput(const RunResult &result, const QString &)
{
    return result.totals.throughputPerS;
}

std::optional<double> retried(const RunResult &result, const QString &)
{
    return static_cast<double>(result.totals.retried);
}

} // namespace

QStringList workerPoolGauges()
{
    return {u"throughput"_s, u"queue_depth"_s};
}

QList<GaugeChart> workerPoolCharts()
{
    return {
        {.title = WorkerPoolText::tr("Throughput"),
         .unit = WorkerPoolText::tr("tasks/s"),
         .series = {{{}, WorkerPoolGauges::Throughput}},
         .rate = true,
         .help = WorkerPoolText::tr("Tasks that all workers finish in a second.")},
        {.title = WorkerPoolText::tr("Queue depth"),
         .unit = WorkerPoolText::tr("tasks waiting"),
         .series = {{{}, WorkerPoolGauges::QueueDepth}},
         .steps = true,
         .help = WorkerPoolText::tr("Tasks that no worker has taken yet.")},
    };
}

QList<Measure> workerPoolMeasures()
{
    using Better = Measure::Better;
    return {
        {.key = u"throughput_per_s"_s,
         .title = WorkerPoolText::tr("Throughput"),
         .unit = WorkerPoolText::tr("tasks/s"),
         .better = Better::Higher,
         .read = throughput,
         .sentence = WorkerPoolText::tr("%1 per second")},
        {.key = u"retried"_s,
         .title = WorkerPoolText::tr("Tasks retried"),
         .better = Better::Lower,
         .read = retried},
    };
}

} // namespace proclab
