// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/number_text.h"
#include "core/base/quantity_text.h"
#include "core/experiment/explain/run_facts.h"
#include "core/experiment/kinds/pool/pool_kind.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class PoolExplainText
{
    Q_DECLARE_TR_FUNCTIONS(PoolExplain)
};

/// Idle at the end: below a seventh of the workers' time no other order of tasks gains much.
constexpr double muchIdle = 0.15;
/// And no shorter tail is worth it: processes take some milliseconds to start and to end.
constexpr double leastTailSeconds = 0.01;
/// A last task so many times as long as the mean is what the others waited for.
constexpr double straggles = 2;
/// Handing over takes so much of the workers' time that larger chunks show.
constexpr double muchHandOver = 0.3;
/// Fewer hand-overs give no steady mean.
constexpr quint64 leastHandOvers = 1'000;
/// In a chunk that lasts so long, some microseconds of handing it over do not count.
constexpr double goodChunkSeconds = 0.001;
/// Tasks that are off the core for most of their time leave it to others.
constexpr double mostlyAsleep = 0.5;
/// And tasks that hardly ever are need one each.
constexpr double mostlyOnCore = 0.8;
constexpr int mostPoolWorkers = 256;

/// What one worker did, or all together.
struct WorkerTasks
{
    quint64 tasks = 0;
    double seconds = 0; ///< In tasks.
    qint64 lastFinishNs = 0;
    double lastSeconds = 0; ///< How long its last task took.
};

struct PoolFacts
{
    explicit PoolFacts(const RunFacts &facts);

    [[nodiscard]] bool isSerial() const { return run.spec.text(u"pool.method"_s) == u"apply"_s; }
    [[nodiscard]] double meanSeconds() const
    {
        return all.seconds / static_cast<double>(all.tasks);
    }
    [[nodiscard]] QList<int> idleWorkers() const;

    const RunFacts &run;
    const quint64 tasks;
    const quint64 chunk;
    const int workers;
    std::vector<WorkerTasks> each; ///< By process.
    WorkerTasks all;
    double gapSeconds = 0; ///< Between a task and the next of the same worker, all added up.
    quint64 gaps = 0;
};

PoolFacts::PoolFacts(const RunFacts &facts)
    : run(facts)
    , tasks(static_cast<quint64>(run.spec.bigInteger(u"tasks.count"_s)))
    , chunk(poolChunkSize(run.spec))
    , workers(run.spec.integer(u"pool.workers"_s))
    , each(static_cast<std::size_t>(run.processes.size()))
{
    const AppendLog<TaskRecord> &records = run.log.tasks;
    for (std::size_t i = 0, size = records.size(); i < size; ++i) {
        const TaskRecord &task = records[i];
        if (task.process < 0 || task.startedNs < 0)
            continue;
        WorkerTasks &worker = each[static_cast<std::size_t>(task.process)];
        if (worker.tasks > 0 && task.startedNs >= worker.lastFinishNs) {
            gapSeconds += static_cast<double>(task.startedNs - worker.lastFinishNs) / 1e9;
            ++gaps;
        }
        worker.lastSeconds = static_cast<double>(task.finishedNs - task.startedNs) / 1e9;
        worker.lastFinishNs = task.finishedNs;
        worker.seconds += worker.lastSeconds;
        ++worker.tasks;
        ++all.tasks;
        all.seconds += worker.lastSeconds;
        all.lastFinishNs = std::max(all.lastFinishNs, task.finishedNs);
    }
}

QList<int> PoolFacts::idleWorkers() const
{
    QList<int> idle;
    for (int process = 1; process < run.processes.size(); ++process) {
        if (each[static_cast<std::size_t>(process)].tasks == 0)
            idle.append(process);
    }
    return idle;
}

void explainSerial(const PoolFacts &pool, QList<Explanation> &found)
{
    if (!pool.isSerial() || pool.workers < 2 || pool.all.tasks < 2 || pool.run.endNs <= 0)
        return;
    const double busy = pool.all.seconds / pool.run.seconds();
    Explanation serial =
        pool.run.ofAll("pool.serial"_ba, {{"busy"_L1, busy}, {"workers"_L1, pool.workers}},
                       1 - 1.0 / pool.workers);
    serial.trial = {{u"pool.method"_s, u"apply_async"_s}};
    found.append(serial);
}

/// Fewer chunks than workers: some get none.
void explainLargeChunks(const PoolFacts &pool, QList<Explanation> &found)
{
    const quint64 chunks = (pool.tasks + pool.chunk - 1) / pool.chunk;
    const auto workers = static_cast<quint64>(pool.workers);
    if (pool.isSerial() || chunks >= workers || pool.tasks < workers || pool.all.tasks == 0)
        return;
    const double idle = 1 - static_cast<double>(chunks) / pool.workers;
    Explanation large = pool.run.ofAll("pool.large_chunks"_ba,
                                       {{"chunk"_L1, static_cast<qint64>(pool.chunk)},
                                        {"chunks"_L1, static_cast<qint64>(chunks)},
                                        {"workers"_L1, pool.workers}},
                                       idle);
    large.processes = pool.idleWorkers();
    large.trial = {{u"pool.chunk_size"_s,
                    static_cast<qint64>(std::max<quint64>(1, pool.tasks / (4 * workers)))}};
    found.append(large);
}

/// The last ones still work when the others have nothing left.
void explainIdleTail(const PoolFacts &pool, QList<Explanation> &found)
{
    const quint64 chunks = (pool.tasks + pool.chunk - 1) / pool.chunk;
    std::vector<qint64> finishes;
    int last = -1;
    for (int process = 1; process < pool.run.processes.size(); ++process) {
        const WorkerTasks &worker = pool.each[static_cast<std::size_t>(process)];
        if (worker.tasks == 0 || hasCrashed(pool.run.processes[process]))
            continue;
        finishes.push_back(worker.lastFinishNs);
        if (worker.lastFinishNs == pool.all.lastFinishNs)
            last = process;
    }
    const bool isEven = pool.isSerial() || chunks < static_cast<quint64>(pool.workers);
    if (isEven || finishes.size() < 2 || last < 0 || pool.run.result.stopped)
        return;
    std::sort(finishes.begin(), finishes.end());
    double idle = 0;
    for (const qint64 finish : finishes)
        idle += static_cast<double>(pool.all.lastFinishNs - finish) / 1e9;
    const double whole =
        static_cast<double>(pool.all.lastFinishNs) / 1e9 * static_cast<double>(finishes.size());
    const qint64 medianNs = finishes[(finishes.size() - 1) / 2];
    const double tail = static_cast<double>(pool.all.lastFinishNs - medianNs) / 1e9;
    if (idle < muchIdle * whole || tail < leastTailSeconds)
        return;
    const WorkerTasks &slowest = pool.each[static_cast<std::size_t>(last)];
    Explanation idleTail{.note = {"pool.idle_tail"_ba,
                                  {{"tail_s"_L1, tail},
                                   {"idle_share"_L1, idle / whole},
                                   {"chunk"_L1, static_cast<qint64>(pool.chunk)},
                                   {"process"_L1, last},
                                   {"last_s"_L1, slowest.lastSeconds},
                                   {"mean_s"_L1, pool.meanSeconds()}}},
                         .fromNs = medianNs,
                         .toNs = pool.all.lastFinishNs,
                         .processes = {last},
                         .weight = idle / whole};
    if (pool.chunk > 1)
        idleTail.trial = {
            {u"pool.chunk_size"_s, static_cast<qint64>(std::max<quint64>(1, pool.chunk / 4))}};
    found.append(idleTail);
}

void explainSmallChunks(const PoolFacts &pool, QList<Explanation> &found)
{
    if (pool.isSerial() || pool.gaps < leastHandOvers)
        return;
    const double gap = pool.gapSeconds / static_cast<double>(pool.gaps);
    const double share = gap / (gap + pool.meanSeconds());
    // Still four chunks for each worker, so that they end together.
    const quint64 most = pool.tasks / (4 * static_cast<quint64>(pool.workers));
    const auto good = static_cast<quint64>(goodChunkSeconds / std::max(pool.meanSeconds(), 1e-9));
    const quint64 better = std::min(most, good);
    if (share < muchHandOver || better <= 2 * pool.chunk)
        return;
    Explanation small = pool.run.ofAll(
        "pool.small_chunks"_ba,
        {{"gap_s"_L1, gap}, {"mean_s"_L1, pool.meanSeconds()}, {"share"_L1, share}}, share);
    small.trial = {{u"pool.chunk_size"_s, static_cast<qint64>(better)}};
    found.append(small);
}

/// Whether more workers would help: asleep they leave the cores, and a core may have none.
void explainFewWorkers(const PoolFacts &pool, QList<Explanation> &found)
{
    const RunFacts &run = pool.run;
    const bool hasMore = static_cast<quint64>(pool.workers) < pool.tasks;
    if (pool.isSerial() || !hasMore || !run.hasShares() || pool.all.seconds <= 0)
        return;
    const double asleep =
        1 - std::min(1.0, (run.children.onCore + run.children.ready) / pool.all.seconds);
    const double unused = 1 - run.usedCores() / run.cores;
    const QJsonObject numbers{{"asleep_share"_L1, asleep},
                              {"used_cores"_L1, run.usedCores()},
                              {"cores"_L1, run.cores},
                              {"workers"_L1, pool.workers}};
    const auto withTrial = [&](const char *rule, qint64 workers) {
        Explanation few = run.ofAll(rule, numbers, unused / 2); // The other half is a guess.
        few.trial = {{u"pool.workers"_s, std::min(workers, static_cast<qint64>(pool.tasks))}};
        found.append(few);
    };
    if (asleep >= mostlyAsleep && unused >= mostlyAsleep && pool.workers < mostPoolWorkers)
        withTrial("pool.io_bound", std::min(2 * pool.workers, mostPoolWorkers));
    else if (pool.workers < run.cores && run.usedCores() >= mostlyOnCore * pool.workers)
        withTrial("pool.idle_cores", run.cores);
}

void explainRetries(const PoolFacts &pool, QList<Explanation> &found)
{
    const RunTotals &totals = pool.run.result.totals;
    if (totals.retried == 0)
        return;
    found.append(pool.run.ofAll("pool.retried"_ba,
                                {{"retried"_L1, static_cast<qint64>(totals.retried)},
                                 {"failed"_L1, static_cast<qint64>(totals.failed)}},
                                muchIdle));
}

void explainNoRetry(const PoolFacts &pool, QList<Explanation> &found)
{
    const bool isRetried = pool.run.spec.text(u"pool.on_crash"_s) == u"retry"_s;
    if (isRetried || pool.run.result.totals.failed == 0)
        return;
    Explanation lost{.weight = muchIdle};
    const AppendLog<TaskRecord> &tasks = pool.run.log.tasks;
    for (std::size_t i = 0, size = tasks.size(); i < size; ++i) {
        const TaskRecord &task = tasks[i];
        const bool diedWithIt = task.error == TaskError::Signal || task.error == TaskError::Exit;
        if (!diedWithIt || task.process < 0)
            continue;
        if (lost.processes.isEmpty())
            lost.fromNs = std::max<qint64>(task.startedNs, 0);
        lost.toNs = task.finishedNs;
        lost.processes.append(task.process);
    }
    if (lost.processes.isEmpty())
        return;
    lost.note = {"pool.not_retried"_ba, {{"tasks"_L1, lost.processes.size()}}};
    lost.trial = {{u"pool.on_crash"_s, u"retry"_s}};
    found.append(lost);
}

QString idleTailText(const RunLog &log, const RunNote &note)
{
    QString text =
        PoolExplainText::tr("The workers ended unevenly: for the last %1 at least half of them had "
                            "nothing left while %2 worked, and stood idle %3 of their time.")
            .arg(durationText(note.number("tail_s"_L1)),
                 log.processes().at(note.integer("process"_L1)).name,
                 shareText(note.number("idle_share"_L1)));
    text += u' ';
    if (note.integer("chunk"_L1) > 1)
        return text + PoolExplainText::tr("Smaller chunks than %1 tasks spread better.")
                          .arg(groupedNumber(note.integer("chunk"_L1)));
    const double last = note.number("last_s"_L1);
    const double mean = note.number("mean_s"_L1);
    if (last >= straggles * mean)
        return text + PoolExplainText::tr("Its last task took %1, the mean is %2: handed over "
                                          "first, the long tasks would not be waited for.")
                          .arg(durationText(last), durationText(mean));
    return text + PoolExplainText::tr("More and shorter tasks spread better.");
}

QString fewWorkersText(const RunNote &note)
{
    const QString used = QString::number(note.number("used_cores"_L1), 'f', 2);
    if (note.code == "pool.io_bound")
        return PoolExplainText::tr("The tasks were asleep %1 of their time, waiting for a timer or "
                                   "a device, and used %2 of %3 cores: more workers would do more "
                                   "of them at once.")
            .arg(shareText(note.number("asleep_share"_L1)), used)
            .arg(note.integer("cores"_L1));
    return PoolExplainText::tr("CPU-bound on %1 of %2 cores: as many workers as cores would use "
                               "the others too.")
        .arg(used)
        .arg(note.integer("cores"_L1));
}

using PoolRule = void (*)(const PoolFacts &pool, QList<Explanation> &found);
constexpr PoolRule poolRules[] = {explainSerial,      explainLargeChunks, explainIdleTail,
                                  explainSmallChunks, explainFewWorkers,  explainRetries,
                                  explainNoRetry};

} // namespace

void explainPool(const RunFacts &facts, QList<Explanation> &found)
{
    const PoolFacts pool(facts);
    for (const PoolRule rule : poolRules)
        rule(pool, found);
}

QString poolExplanationText(const RunLog &log, const RunNote &note)
{
    const QByteArray &rule = note.code;
    if (rule == "pool.serial")
        return PoolExplainText::tr("apply() waits for each result before it hands over the next "
                                   "task: of %1 workers %2 were busy on average.")
            .arg(note.integer("workers"_L1))
            .arg(note.number("busy"_L1), 0, 'f', 2);
    if (rule == "pool.large_chunks")
        return (note.integer("chunks"_L1) == 1
                    ? PoolExplainText::tr("In chunks of %1 the tasks make %2 chunk, so only that "
                                          "many of %3 workers had any.")
                    : PoolExplainText::tr("In chunks of %1 the tasks make %2 chunks, so only that "
                                          "many of %3 workers had any."))
            .arg(groupedNumber(note.integer("chunk"_L1)))
            .arg(note.integer("chunks"_L1))
            .arg(note.integer("workers"_L1));
    if (rule == "pool.idle_tail")
        return idleTailText(log, note);
    if (rule == "pool.small_chunks")
        return PoolExplainText::tr("From a task to the next took a worker %1, a task itself %2: "
                                   "handing over was %3 of the time. Larger chunks are handed "
                                   "over less often.")
            .arg(durationText(note.number("gap_s"_L1)), durationText(note.number("mean_s"_L1)),
                 shareText(note.number("share"_L1)));
    if (rule == "pool.io_bound" || rule == "pool.idle_cores")
        return fewWorkersText(note);
    if (rule == "pool.retried")
        return (note.integer("retried"_L1) == 1
                    ? PoolExplainText::tr("%1 task was tried again after its worker had died; %2 "
                                          "failed for good.")
                    : PoolExplainText::tr("%1 tasks were tried again after their workers had died; "
                                          "%2 failed for good."))
            .arg(groupedNumber(note.integer("retried"_L1)),
                 groupedNumber(note.integer("failed"_L1)));
    if (rule == "pool.not_retried")
        return (note.integer("tasks"_L1) == 1
                    ? PoolExplainText::tr("%1 task failed with its worker and was not tried again. "
                                          "A retry helps where the cause has gone; else it costs "
                                          "another worker.")
                    : PoolExplainText::tr("%1 tasks failed with their workers and were not tried "
                                          "again. A retry helps where the cause has gone; else "
                                          "each costs another worker."))
            .arg(groupedNumber(note.integer("tasks"_L1)));
    return {};
}

} // namespace proclab
