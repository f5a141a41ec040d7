// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/sample_run.h"

#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_state.h"
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/kinds/pool/pool_state.h"
#include "tests/support/roles.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <vector>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qint64 second = 1'000'000'000;
constexpr qint64 millisecond = 1'000'000;
constexpr qint64 sampleStep = 50 * millisecond;

/// The same numbers on every machine.
class Sequence
{
public:
    double next()
    {
        m_state = m_state * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<double>(m_state >> 11) * 0x1.0p-53;
    }

private:
    quint64 m_state = 7;
};

qint64 toNs(double seconds)
{
    return static_cast<qint64>(seconds * 1e9);
}

ProcessRecord record(const QString &name, const ProcessRole *role, qint64 pid, int colorIndex)
{
    ProcessRecord process;
    process.name = name;
    process.role = role;
    process.pid = pid;
    process.colorIndex = colorIndex;
    process.startNs = colorIndex < 0 ? -20 * millisecond : -5 * millisecond;
    return process;
}

/// How much of the sample that ends at @p timeNs lies in @p span, as the kernel would account it.
double cpuShare(const Span &span, qint64 timeNs)
{
    const qint64 from = std::max(span.startNs, timeNs - sampleStep);
    const qint64 to = std::min(span.endNs, timeNs);
    const bool atWork = span.activity == Span::Activity::Running ||
                        span.activity == Span::Activity::Busy ||
                        span.activity == Span::Activity::Failed;
    return atWork && to > from ? static_cast<double>(to - from) / static_cast<double>(sampleStep)
                               : 0.0;
}

/// Samples of all children up to @p nowNs, from their spans; what runs still is in @p open.
void addSamples(RunLog &log, const std::vector<std::optional<Span>> &open, qint64 nowNs)
{
    Sequence noise;
    const QList<ProcessRecord> processes = log.processes();
    for (int i = 1; i < processes.size(); ++i) {
        const ProcessRecord &process = processes[i];
        const AppendLog<Span> &spans = log.lane(i).spans;
        std::vector<double> shares(static_cast<std::size_t>(nowNs / sampleStep) + 2, 0.0);
        const auto account = [&](const Span &span) {
            const auto first = static_cast<std::size_t>(span.startNs / sampleStep);
            for (std::size_t k = first; k < shares.size(); ++k)
                shares[k] += cpuShare(span, static_cast<qint64>(k) * sampleStep);
        };
        for (std::size_t k = 0; k < spans.size(); ++k)
            account(spans[k]);
        if (auto running = open[static_cast<std::size_t>(i)]) {
            running->endNs = nowNs;
            account(*running);
        }
        const qint64 end = process.endNs >= 0 ? std::min(process.endNs, nowNs) : nowNs;
        for (qint64 t = sampleStep; t <= end; t += sampleStep) {
            if (t < process.startNs)
                continue;
            ProcessSample sample;
            sample.timeNs = t;
            const double share = shares[static_cast<std::size_t>(t / sampleStep)];
            sample.cpuPercent = static_cast<float>(std::min(99.0, 97 * share + 2 * noise.next()));
            sample.readyPercent = static_cast<float>(2 * noise.next());
            sample.residentBytes = static_cast<quint64>(3'000'000 + 150'000 * i) +
                                   static_cast<quint64>(t / second) * 40'000;
            log.lane(i).samples.append(sample);
        }
    }
}

double lastCpu(const RunLog &log, int process)
{
    const auto &samples = log.lane(process).samples;
    return samples.isEmpty() ? -1 : static_cast<double>(samples[samples.size() - 1].cpuPercent);
}

/// One pool, task by task.
class PoolSimulation
{
public:
    PoolSimulation(const SamplePoolConfig &config, SampleRun &run)
        : m_config(config)
        , m_run(run)
        , m_nowNs(toNs(config.seconds))
    {}

    void perform()
    {
        m_run.log->addProcess(record(u"main"_s, nullptr, 48204, -1));
        for (int i = 0; i < m_config.workers; ++i)
            addWorker(0);
        while (m_next < m_config.tasks && takeTask()) {
        }
        endIfDone();
        std::vector<std::optional<Span>> open;
        for (const Worker &worker : m_workers)
            open.push_back(worker.running);
        addSamples(*m_run.log, open, m_lastNs);
        addGauges();
        addTaskRecords();
        makeSnapshot();
    }

private:
    struct Worker
    {
        qint64 freeNs = 0;
        bool dead = false;
        quint64 done = 0;
        std::optional<Span> running;
    };

    void addWorker(qint64 startNs)
    {
        if (m_workers.empty()) {
            m_workers.emplace_back(); // The parent.
            m_workers.back().dead = true;
        }
        const int number = static_cast<int>(m_workers.size());
        ProcessRecord process =
            record(u"worker-%1"_s.arg(number), test::worker(), 48204 + 7 * number, number - 1);
        if (startNs > 0) {
            process.startNs = startNs;
            process.replaces = m_replaced;
        }
        m_run.log->addProcess(process);
        Worker worker;
        worker.freeNs = startNs + 8 * millisecond;
        m_workers.push_back(worker);
    }

    bool takeTask()
    {
        int process = -1;
        for (int i = 1; i < static_cast<int>(m_workers.size()); ++i) {
            const Worker &worker = m_workers[static_cast<std::size_t>(i)];
            if (worker.dead || worker.running)
                continue;
            if (process < 0 || worker.freeNs < m_workers[static_cast<std::size_t>(process)].freeNs)
                process = i;
        }
        if (process < 0)
            return false;
        Worker &worker = m_workers[static_cast<std::size_t>(process)];
        if (worker.freeNs > m_nowNs)
            return false;
        Span span;
        span.index = static_cast<quint32>(m_next++);
        span.startNs = worker.freeNs;
        span.endNs = span.startNs + toNs(m_config.meanTaskSeconds * (0.4 + 1.2 * m_random.next()));
        span.activity = m_random.next() < 0.67 ? Span::Activity::Running : Span::Activity::Sleeping;
        runSpan(process, span);
        return true;
    }

    void runSpan(int process, Span span)
    {
        Worker &worker = m_workers[static_cast<std::size_t>(process)];
        const qint64 crashNs = toNs(m_config.crashSeconds);
        const bool crashes =
            crashNs > 0 && process == 3 && span.startNs <= crashNs && crashNs < span.endNs;
        if (crashes && crashNs <= m_nowNs) {
            span.endNs = crashNs;
            span.activity = Span::Activity::Failed;
            m_run.log->lane(process).spans.append(span);
            m_run.log->updateProcess(process, [&](ProcessRecord &entry) {
                entry.endNs = crashNs;
                entry.signal = 11;
            });
            m_run.log->addEvent({crashNs,
                                 RunEvent::Severity::Failure,
                                 process,
                                 {"process_signalled"_ba, {{u"signal"_s, 11}}}});
            m_lost.push_back(span);
            worker.dead = true;
            m_replaced = process;
            addWorker(crashNs + 18 * millisecond);
            return;
        }
        if (span.endNs > m_nowNs) {
            worker.running = span;
            return;
        }
        m_run.log->lane(process).spans.append(span);
        m_finished.push_back({span, process});
        worker.freeNs = span.endNs + 4 * millisecond;
        ++worker.done;
    }

    void endIfDone()
    {
        m_lastNs = m_nowNs;
        const bool busy = std::any_of(m_workers.begin(), m_workers.end(),
                                      [](const Worker &worker) { return worker.running; });
        if (busy || m_next < m_config.tasks)
            return;
        m_ended = true;
        m_lastNs = 0;
        for (const auto &[span, process] : m_finished)
            m_lastNs = std::max(m_lastNs, span.endNs);
        for (int i = 1; i < static_cast<int>(m_workers.size()); ++i) {
            m_run.log->updateProcess(i, [this](ProcessRecord &entry) {
                if (entry.endNs < 0)
                    entry.endNs = m_lastNs + 2 * millisecond;
            });
        }
    }

    void addGauges()
    {
        for (qint64 t = sampleStep; t <= m_lastNs; t += sampleStep) {
            GaugeSample gauge(2);
            gauge.timeNs = t;
            double waiting = m_config.tasks;
            for (const auto &[span, process] : m_finished) {
                gauge.values[PoolGauges::Throughput] += span.endNs <= t && span.endNs > t - second;
                waiting -= span.startNs <= t;
            }
            for (const Worker &worker : m_workers)
                waiting -= worker.running && worker.running->startNs <= t;
            for (const Span &span : m_lost)
                waiting -= span.startNs <= t;
            gauge.values[PoolGauges::QueueDepth] = waiting;
            m_run.log->gauges.append(gauge);
        }
    }

    void addTaskRecords()
    {
        std::sort(m_finished.begin(), m_finished.end(),
                  [](const auto &a, const auto &b) { return a.first.endNs < b.first.endNs; });
        for (const auto &[span, process] : m_finished) {
            TaskRecord task;
            task.index = span.index;
            task.process = process;
            task.valueType = TaskRecord::ValueType::Integer;
            task.integer = 17984 + span.index;
            task.startedNs = span.startNs;
            task.finishedNs = span.endNs;
            m_run.log->tasks.append(task);
        }
        for (const Span &span : m_lost) {
            TaskRecord task;
            task.index = span.index;
            task.process = m_replaced;
            task.status = TaskStatus::Failed;
            task.error = TaskError::Signal;
            task.code = 11;
            task.startedNs = span.startNs;
            task.finishedNs = span.endNs;
            m_run.log->tasks.append(task);
        }
    }

    void makeSnapshot()
    {
        auto snapshot = std::make_shared<StageSnapshot>();
        snapshot->timeNs = m_lastNs;
        const QList<ProcessRecord> processes = m_run.log->processes();
        for (int i = 0; i < processes.size(); ++i) {
            const Worker &worker = m_workers[static_cast<std::size_t>(i)];
            ProcessLive live;
            live.process = i;
            live.done = worker.done;
            live.cpuPercent = i == 0 ? 1 : lastCpu(*m_run.log, i);
            live.state = ProcessState::Waiting;
            if (worker.running) {
                live.state = worker.running->activity == Span::Activity::Running
                                 ? ProcessState::Running
                                 : ProcessState::Sleeping;
                live.currentIndex = worker.running->index;
                live.currentSinceNs = worker.running->startNs;
                live.progressPercent = static_cast<int>(
                    100 * (m_lastNs - worker.running->startNs) /
                    std::max<qint64>(1, worker.running->endNs - worker.running->startNs));
            }
            if (processes[i].endNs >= 0)
                live.state = processes[i].signal ? ProcessState::Crashed : ProcessState::Ended;
            snapshot->processes.append(live);
        }
        snapshot->total = static_cast<quint64>(m_config.tasks);
        snapshot->done = m_finished.size();
        snapshot->failed = m_lost.size();
        snapshot->queued = static_cast<quint64>(m_config.tasks - m_next);
        auto state = std::make_shared<PoolState>();
        for (int i = m_next; i < m_config.tasks && i < m_next + 64; ++i)
            state->nextTasks.append(static_cast<quint32>(i));
        snapshot->kindState = state;
        m_run.snapshot = snapshot;
    }

    const SamplePoolConfig m_config;
    SampleRun &m_run;
    const qint64 m_nowNs;
    qint64 m_lastNs = 0;
    bool m_ended = false;
    int m_next = 0;
    int m_replaced = -1;
    Sequence m_random;
    std::vector<Worker> m_workers;
    std::vector<std::pair<Span, int>> m_finished;
    std::vector<Span> m_lost;
};

/// One bounded queue, millisecond by millisecond.
class PipelineSimulation
{
public:
    PipelineSimulation(const SamplePipelineConfig &config, SampleRun &run)
        : m_config(config)
        , m_run(run)
        , m_nowNs(toNs(config.seconds))
    {}

    void perform()
    {
        m_run.log->addProcess(record(u"main"_s, nullptr, 51729, -1));
        m_actors.emplace_back();
        for (int i = 1; i <= m_config.producers; ++i)
            add(u"producer-%1"_s.arg(i), test::producer());
        for (int i = 1; i <= m_config.consumers; ++i)
            add(u"consumer-%1"_s.arg(i), test::consumer());
        for (m_timeNs = 0; m_timeNs < m_nowNs && !m_ended; m_timeNs += millisecond)
            step();
        std::vector<std::optional<Span>> open(m_actors.size());
        for (std::size_t i = 1; i < m_actors.size(); ++i) {
            if (!m_actors[i].over)
                open[i] = openSpan(m_actors[i]);
        }
        addSamples(*m_run.log, open, m_timeNs);
        makeSnapshot();
    }

private:
    struct Actor
    {
        const ProcessRole *role = nullptr;
        ProcessState state = ProcessState::Running;
        qint64 sinceNs = 0;
        qint64 untilNs = 0;
        quint32 index = 0;
        quint64 done = 0;
        qint64 waitedNs = 0;
        bool over = false;
    };

    void add(const QString &name, const ProcessRole *role)
    {
        const int at = static_cast<int>(m_actors.size());
        m_run.log->addProcess(record(name, role, 51729 + at, at - 1));
        Actor actor;
        actor.role = role;
        actor.state =
            role == test::producer() ? ProcessState::Running : ProcessState::WaitingOnEmpty;
        actor.untilNs = makeNs();
        actor.index = static_cast<quint32>(at - 1); // Producers number their items in turn.
        m_actors.push_back(actor);
    }

    qint64 makeNs() { return toNs(0.028 + 0.032 * m_random.next()); }
    qint64 workNs() { return toNs(0.095 + 0.055 * m_random.next()); }

    static Span openSpan(const Actor &actor)
    {
        Span span;
        span.startNs = actor.sinceNs;
        span.index = actor.index;
        span.activity = actor.state == ProcessState::BlockedOnFull ? Span::Activity::BlockedOnFull
                        : actor.state == ProcessState::WaitingOnEmpty
                            ? Span::Activity::WaitingOnEmpty
                            : Span::Activity::Running;
        return span;
    }

    void change(int process, ProcessState state)
    {
        Actor &actor = m_actors[static_cast<std::size_t>(process)];
        Span span = openSpan(actor);
        span.endNs = m_timeNs;
        if (span.activity != Span::Activity::Running)
            actor.waitedNs += span.endNs - span.startNs;
        if (span.endNs > span.startNs)
            m_run.log->lane(process).spans.append(span);
        actor.state = state;
        actor.sinceNs = m_timeNs;
    }

    void end(int process)
    {
        change(process, ProcessState::Ended);
        m_actors[static_cast<std::size_t>(process)].over = true;
        m_run.log->updateProcess(process, [this](ProcessRecord &entry) { entry.endNs = m_timeNs; });
    }

    void step()
    {
        bool anyoneLeft = false;
        bool anyoneProduces = false;
        for (int i = 1; i < static_cast<int>(m_actors.size()); ++i) {
            Actor &actor = m_actors[static_cast<std::size_t>(i)];
            if (actor.over)
                continue;
            anyoneLeft = true;
            if (actor.role == test::producer()) {
                anyoneProduces = true;
                stepProducer(i, actor);
            } else {
                stepConsumer(i, actor, anyoneProduces);
            }
        }
        m_ended = !anyoneLeft;
        if (m_timeNs % sampleStep == 0 && m_timeNs > 0)
            addGauge();
    }

    void stepProducer(int process, Actor &actor)
    {
        const bool ready = actor.state == ProcessState::BlockedOnFull || m_timeNs >= actor.untilNs;
        if (!ready)
            return;
        if (static_cast<int>(m_queue.size()) >= m_config.capacity) {
            if (actor.state != ProcessState::BlockedOnFull)
                change(process, ProcessState::BlockedOnFull);
            return;
        }
        change(process, ProcessState::Running);
        m_queue.push_back({actor.index, process, false, m_timeNs});
        actor.index += static_cast<quint32>(m_config.producers);
        ++actor.done;
        actor.untilNs = m_timeNs + makeNs();
        if (static_cast<int>(actor.done) >= m_config.itemsEach)
            end(process);
    }

    void stepConsumer(int process, Actor &actor, bool anyoneProduces)
    {
        if (actor.state == ProcessState::Running) {
            if (m_timeNs < actor.untilNs)
                return;
            ++actor.done;
            ++m_taken;
        }
        if (m_queue.empty()) {
            if (!anyoneProduces)
                end(process);
            else if (actor.state != ProcessState::WaitingOnEmpty)
                change(process, ProcessState::WaitingOnEmpty);
            return;
        }
        change(process, ProcessState::Running);
        actor.index = m_queue.front().index;
        m_queue.pop_front();
        actor.untilNs = m_timeNs + workNs();
    }

    void addGauge()
    {
        GaugeSample gauge(5);
        gauge.timeNs = m_timeNs;
        const double seconds = static_cast<double>(m_timeNs) / 1e9;
        gauge.values[PipelineGauges::QueueDepth] = static_cast<double>(m_queue.size());
        gauge.values[PipelineGauges::PutRate] =
            static_cast<double>(m_taken + m_queue.size()) / seconds;
        gauge.values[PipelineGauges::GetRate] = static_cast<double>(m_taken) / seconds;
        gauge.values[PipelineGauges::ProducersBlocked] = std::min(71.0, 30 * seconds);
        gauge.values[PipelineGauges::ConsumersWaiting] = std::max(0.0, 20 - 40 * seconds);
        m_run.log->gauges.append(gauge);
    }

    void makeSnapshot()
    {
        auto snapshot = std::make_shared<StageSnapshot>();
        snapshot->timeNs = m_timeNs;
        for (std::size_t i = 0; i < m_actors.size(); ++i) {
            const Actor &actor = m_actors[i];
            ProcessLive live;
            live.process = static_cast<int>(i);
            live.state = i == 0 ? ProcessState::Waiting : actor.state;
            live.done = actor.done;
            live.cpuPercent = lastCpu(*m_run.log, live.process);
            live.waitingShare = static_cast<double>(actor.waitedNs) /
                                static_cast<double>(std::max<qint64>(m_timeNs, 1));
            if (i > 0 && actor.state != ProcessState::Ended &&
                actor.state != ProcessState::WaitingOnEmpty) {
                live.currentIndex = actor.index;
                live.currentSinceNs = actor.sinceNs;
            }
            snapshot->processes.append(live);
        }
        snapshot->total = static_cast<quint64>(m_config.producers * m_config.itemsEach);
        snapshot->done = m_taken;
        snapshot->queued = m_queue.size();
        auto state = std::make_shared<PipelineState>();
        state->capacity = static_cast<quint64>(m_config.capacity);
        for (const QueuedItem &item : m_queue) {
            if (state->items.size() < 64)
                state->items.append({item.index, item.producer, false, m_timeNs - item.ageNs});
        }
        snapshot->kindState = state;
        m_run.snapshot = snapshot;
    }

    const SamplePipelineConfig m_config;
    SampleRun &m_run;
    const qint64 m_nowNs;
    qint64 m_timeNs = 0;
    bool m_ended = false;
    quint64 m_taken = 0;
    Sequence m_random;
    std::vector<Actor> m_actors;
    std::deque<QueuedItem> m_queue; // ageNs: when it was put.
};

} // namespace

SampleRun samplePool(const SamplePoolConfig &config)
{
    SampleRun run;
    run.spec = ExperimentSpec(u"pool"_s);
    run.spec.set(u"pool.workers"_s, config.workers);
    run.spec.set(u"tasks.task"_s, u"cpu.primes"_s);
    run.spec.set(u"tasks.count"_s, config.tasks);
    run.log = std::make_shared<RunLog>();
    PoolSimulation(config, run).perform();
    return run;
}

SampleRun samplePipeline(const SamplePipelineConfig &config)
{
    SampleRun run;
    run.spec = ExperimentSpec(u"pipeline"_s);
    run.spec.set(u"pipeline.producers"_s, config.producers);
    run.spec.set(u"pipeline.consumers"_s, config.consumers);
    run.spec.set(u"pipeline.capacity"_s, config.capacity);
    run.spec.set(u"pipeline.items_per_producer"_s, config.itemsEach);
    run.log = std::make_shared<RunLog>();
    PipelineSimulation(config, run).perform();
    return run;
}

SampleRun sampleCounter(const SampleCounterConfig &config)
{
    SampleRun run;
    run.spec = ExperimentSpec(u"counter"_s);
    run.spec.set(u"counter.processes"_s, config.processes);
    run.spec.set(u"counter.increments"_s, config.increments);
    run.spec.set(u"counter.mode"_s, config.locked ? u"lock"_s : u"none"_s);
    run.log = std::make_shared<RunLog>();
    run.log->addProcess(record(u"main"_s, nullptr, 60411, -1));

    const qint64 wholeNs = config.locked ? 54 * millisecond : 21 * millisecond;
    auto snapshot = std::make_shared<StageSnapshot>();
    snapshot->timeNs = static_cast<qint64>(static_cast<double>(wholeNs) * config.progress);
    snapshot->processes.append(ProcessLive{.state = ProcessState::Waiting});
    const bool ended = config.progress >= 1;
    const auto each = static_cast<quint64>(config.increments * config.progress);
    for (int i = 1; i <= config.processes; ++i) {
        ProcessRecord process = record(u"process-%1"_s.arg(i), test::process(), 60411 + i, i - 1);
        if (ended)
            process.endNs = wholeNs;
        run.log->addProcess(process);
        constexpr qint64 chunkNs = 2 * millisecond;
        for (qint64 t = 0; t + chunkNs <= snapshot->timeNs; t += chunkNs) {
            Span span;
            span.startNs = t;
            span.endNs = t + chunkNs;
            span.activity = Span::Activity::Busy;
            span.busy = config.locked ? 0.4F : 1.0F;
            span.count = 500;
            run.log->lane(i).spans.append(span);
        }
        ProcessLive live;
        live.process = i;
        live.state = ended                    ? ProcessState::Ended
                     : config.locked && i > 1 ? ProcessState::WaitingForLock
                                              : ProcessState::Running;
        live.done = each;
        live.cpuPercent = 97;
        live.waitingShare = config.locked ? 0.6 : 0;
        snapshot->processes.append(live);
    }
    auto state = std::make_shared<CounterState>();
    state->expected = static_cast<qint64>(config.processes) * config.increments;
    snapshot->total = static_cast<quint64>(state->expected);
    snapshot->done = each * static_cast<quint64>(config.processes);
    state->value = static_cast<qint64>(snapshot->done);
    if (!config.locked)
        state->value = state->value * 6741 / 10'000;
    if (ended)
        snapshot->lost = static_cast<quint64>(state->expected - state->value);
    if (config.locked && !ended) {
        state->lockOwner = 1;
        state->lockWaiters = config.processes - 1;
    }
    snapshot->kindState = state;
    for (qint64 t = millisecond; t <= snapshot->timeNs; t += millisecond) {
        GaugeSample gauge(3);
        gauge.timeNs = t;
        gauge.values[CounterGauges::IncrementRate] = config.locked ? 368'000 : 957'000;
        gauge.values[CounterGauges::LockWait] = config.locked ? 61 : 0;
        run.log->gauges.append(gauge);
    }
    run.snapshot = snapshot;
    return run;
}

} // namespace proclab
