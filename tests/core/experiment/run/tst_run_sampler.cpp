// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_sampler.h"

#include "core/process/engine.h"
#include "core/runtime/clock.h"
#include "tests/support/fake_process_source.h"
#include "tests/support/roles.h"

#include <QTest>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

using namespace Qt::StringLiterals;
using namespace proclab;
using proclab::test::FakeProcessSource;

namespace {

constexpr qint64 second = 1'000'000'000;
constexpr int patience = 30'000;

/// A run whose processes a test enters by hand.
class FakeRunner final : public ExperimentRunner
{
public:
    using ExperimentRunner::addProcess;
    using ExperimentRunner::ExperimentRunner;
    using ExperimentRunner::noteExit;
    using ExperimentRunner::noteGate;
    using ExperimentRunner::noteParentsThread;

    Result<void> start() override { return {}; }
    void stop(StopReason) override {}
    void observe(StageSnapshot &snapshot, GaugeSample &) override
    {
        snapshot.total = 12;
        if (duringTheLook)
            std::exchange(duringTheLook, nullptr)();
        if (inTask && snapshot.processes.size() > 1) {
            snapshot.processes[1].state = ProcessState::Running;
            snapshot.processes[1].currentSinceNs = -second; // Long enough to tell by the clocks.
        }
    }
    void complete(RunResult &) override {}

    bool inTask = false;
    std::function<void()> duringTheLook; ///< Called once.
};

} // namespace

class tst_RunSampler : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void processesAreReadFromTheGivenSource();
    void firstReadingIsDoneBeforeTheGateOpens();
    void parentIsTheThreadThatPlaysIt();
    void endedProcessIsAccountedForAndForgotten();
    void lastStretchIsReadyAsTheOneBefore();
    void whoEndsDuringTheLookKeepsItsFigures();
    void unknownProcessHasNoSamples();
    void stateTellsWhereTheTimeGoes_data();
    void stateTellsWhereTheTimeGoes();

private:
    Engine m_engine;
    ExperimentSpec m_spec{u"pool"_s};
    std::unique_ptr<RunLog> m_log;
    std::unique_ptr<FakeRunner> m_runner;
    FakeProcessSource m_source;
};

void tst_RunSampler::init()
{
    m_log = std::make_unique<RunLog>();
    m_runner = std::make_unique<FakeRunner>(RunnerContext{m_engine, m_spec, *m_log});
    m_source = {};
    ProcessRecord parent;
    parent.pid = 1;
    parent.startNs = runtime::nowNs();
    m_log->addProcess(parent);
}

void tst_RunSampler::processesAreReadFromTheGivenSource()
{
    QCOMPARE(m_runner->addProcess(*test::worker(), u"worker-1"_s, 4711, -1), 1);
    const qint64 gate = m_log->processes()[1].startNs;
    m_runner->noteGate(gate);
    m_source.now = gate + 2 * second;
    m_source.processes[1] = {1, {second / 10, std::nullopt, 1024}};
    m_source.processes[4711] = {5, {second / 2, second / 4, 8192}};
    RunSampler sampler(*m_runner, *m_log, m_source);
    sampler.start();
    QTRY_VERIFY_WITH_TIMEOUT(m_log->snapshots.newest() != nullptr, patience);
    sampler.stop();
    const StageSnapshotPointer snapshot = m_log->snapshots.newest();
    QCOMPARE(snapshot->total, quint64{12});
    QCOMPARE(snapshot->processes.size(), qsizetype{2});
    QVERIFY(!m_log->gauges.isEmpty());
    const AppendLog<ProcessSample> &samples = m_log->lane(1).samples;
    QVERIFY(!samples.isEmpty());
    QCOMPARE(samples[0].timeNs, 2 * second);
    QCOMPARE(samples[0].cpuPercent, 25.0F); // Half a second in the first two.
    QCOMPARE(samples[0].residentBytes, quint64{8192});
    const ProcessRecord record = m_log->processes()[1];
    QCOMPARE(record.cpuSeconds, 0.5);
    QCOMPARE(record.readySeconds, 0.25);
    QCOMPARE(record.peakResidentBytes, quint64{8192});
}

void tst_RunSampler::firstReadingIsDoneBeforeTheGateOpens()
{
    m_runner->addProcess(*test::worker(), u"worker-1"_s, 4711, -1);
    const qint64 gate = m_log->processes()[1].startNs + second;
    m_source.now = gate;
    m_source.processes[4711] = {5, {second / 2, 0, 8192}};
    RunSampler sampler(*m_runner, *m_log, m_source);
    Q_EMIT m_runner->aboutToOpen();
    m_runner->noteGate(gate);
    QVERIFY(m_log->lane(1).samples.isEmpty()); // Of the time before nothing is told.
    m_source.now = gate + second;
    m_source.processes[4711].counters = {second / 2 + second / 5, second / 10, 8192};
    sampler.stop();
    const AppendLog<ProcessSample> &samples = m_log->lane(1).samples;
    QCOMPARE(samples.size(), std::size_t{1});
    QCOMPARE(samples[0].timeNs, second);
    QCOMPARE(samples[0].cpuPercent, 20.0F);
    QCOMPARE(m_log->snapshots.newest()->processes[1].readyShare, 0.1);
}

void tst_RunSampler::parentIsTheThreadThatPlaysIt()
{
    m_runner->noteGate(runtime::nowNs());
    m_source.processes[1] = {1, {100 * second, std::nullopt, 1024}}; // What a window may use.
    RunSampler sampler(*m_runner, *m_log, m_source);
    std::atomic<bool> isOver = false;
    std::thread parent([this, &isOver] {
        m_runner->noteParentsThread();
        while (!isOver) {
        }
    });
    sampler.start();
    QTRY_VERIFY_WITH_TIMEOUT(m_log->lane(0).samples.size() >= 2, patience);
    isOver = true;
    parent.join();
    sampler.stop();
    const AppendLog<ProcessSample> &samples = m_log->lane(0).samples;
    for (std::size_t i = 0; i < samples.size(); ++i)
        QVERIFY(samples[i].cpuPercent > 0 && samples[i].cpuPercent < 150);
    QCOMPARE(samples[0].residentBytes, quint64{1024});
    QVERIFY(!m_runner->parentCpuNs()); // Its thread has ended.
}

void tst_RunSampler::endedProcessIsAccountedForAndForgotten()
{
    m_runner->addProcess(*test::worker(), u"worker-1"_s, 4711, -1);
    m_runner->noteGate(m_log->processes()[1].startNs);
    m_source.now = m_runner->gateNs() + second;
    m_source.processes[4711] = {5, {second / 2, 0, 8192}};
    RunSampler sampler(*m_runner, *m_log, m_source);
    sampler.start();
    QTRY_VERIFY_WITH_TIMEOUT(!m_log->lane(1).samples.isEmpty(), patience);
    ChildExit exit;
    exit.signal = SIGSEGV;
    exit.cpuNs = second * 3 / 4;
    m_runner->noteExit(1, exit, false, 7);
    sampler.stop();
    QCOMPARE(m_source.forgotten, (QList<ProcessKey>{{4711, 5}}));
    QCOMPARE(m_log->snapshots.newest()->processes[1].state, ProcessState::Crashed);
    QCOMPARE(m_log->snapshots.newest()->processes[1].done, quint64{7});
    QCOMPARE(m_log->processes()[1].cpuSeconds, 0.75);
}

void tst_RunSampler::lastStretchIsReadyAsTheOneBefore()
{
    m_runner->addProcess(*test::worker(), u"worker-1"_s, 4711, -1);
    m_runner->noteGate(m_log->processes()[1].startNs - 4 * second);
    m_log->updateProcess(1, [](ProcessRecord &record) { record.startNs = 0; });
    m_source.now = m_runner->gateNs();
    m_source.processes[4711] = {5, {0, 0, 8192}};
    m_source.processes[4711].counters.readyNs = 0;
    RunSampler sampler(*m_runner, *m_log, m_source);
    Q_EMIT m_runner->aboutToOpen();
    m_source.now = m_runner->gateNs() + 2 * second;
    m_source.processes[4711].counters.cpuNs = second / 2;
    m_source.processes[4711].counters.readyNs = second;
    sampler.start();
    QTRY_VERIFY_WITH_TIMEOUT(!m_log->lane(1).samples.isEmpty(), patience);
    ChildExit exit;
    exit.cpuNs = second;
    m_runner->noteExit(1, exit, false, 7);
    sampler.stop();
    const ProcessRecord record = m_log->processes()[1];
    const double life = static_cast<double>(record.endNs) / 1e9;
    QVERIFY(life > 4);
    QCOMPARE(record.readySeconds, life / 2);
    QCOMPARE(m_log->snapshots.newest()->processes[1].readyShare, 0.5);
    QCOMPARE(record.blockedSeconds(), life / 2 - 1);
}

void tst_RunSampler::whoEndsDuringTheLookKeepsItsFigures()
{
    m_runner->addProcess(*test::worker(), u"worker-1"_s, 4711, -1);
    m_runner->noteGate(m_log->processes()[1].startNs);
    m_runner->duringTheLook = [this] {
        const qint64 lived = runtime::nowNs() - m_runner->gateNs();
        m_runner->noteExit(1, ChildExit(), false, 7, lived / 2);
    };
    RunSampler sampler(*m_runner, *m_log, m_source);
    sampler.start();
    QTRY_VERIFY_WITH_TIMEOUT(m_log->snapshots.newest() != nullptr, patience);
    sampler.stop();
    const ProcessLive first = m_log->snapshots.at(0)->processes[1];
    QCOMPARE(first.state, ProcessState::Ended);
    QCOMPARE(first.done, quint64{7});
    const ProcessRecord record = m_log->processes()[1];
    QVERIFY(record.waitingSeconds > 0);
    QCOMPARE(first.waitingShare, record.waitingSeconds * 1e9 / static_cast<double>(record.endNs));
}

void tst_RunSampler::unknownProcessHasNoSamples()
{
    m_runner->addProcess(*test::worker(), u"worker-1"_s, 4711, -1);
    m_runner->noteGate(m_log->processes()[1].startNs);
    RunSampler sampler(*m_runner, *m_log, m_source);
    sampler.stop(); // The last look alone.
    QVERIFY(m_log->lane(1).samples.isEmpty());
    QCOMPARE(m_log->snapshots.newest()->processes[1].cpuPercent, -1.0);
}

void tst_RunSampler::stateTellsWhereTheTimeGoes_data()
{
    QTest::addColumn<int>("cpuPercent");
    QTest::addColumn<int>("readyPercent");
    QTest::addColumn<char>("kernelState");
    QTest::addColumn<ProcessState>("state");
    QTest::newRow("on a core") << 97 << 2 << 'R' << ProcessState::Running;
    QTest::newRow("one core for two") << 50 << 50 << 'R' << ProcessState::Running;
    QTest::newRow("one core for four") << 25 << 75 << 'R' << ProcessState::ReadyToRun;
    QTest::newRow("no core at all") << 0 << 100 << 'R' << ProcessState::ReadyToRun;
    QTest::newRow("a timer") << 1 << 2 << 'S' << ProcessState::Sleeping;
    QTest::newRow("a device") << 0 << 0 << 'D' << ProcessState::Sleeping;
    QTest::newRow("half asleep") << 45 << 0 << 'S' << ProcessState::Sleeping;
    QTest::newRow("stopped") << 0 << 0 << 'T' << ProcessState::Stopped;
    QTest::newRow("under a debugger") << 0 << 0 << 't' << ProcessState::Stopped;
}

void tst_RunSampler::stateTellsWhereTheTimeGoes()
{
    QFETCH(const int, cpuPercent);
    QFETCH(const int, readyPercent);
    QFETCH(const char, kernelState);
    m_runner->addProcess(*test::worker(), u"worker-1"_s, 4711, -1);
    const qint64 gate = m_log->processes()[1].startNs;
    m_source.now = gate;
    m_source.processes[4711] = {5, {0, 0, 8192}, 1, "worker", kernelState};
    m_runner->inTask = true;
    m_runner->noteGate(gate);
    RunSampler sampler(*m_runner, *m_log, m_source);
    sampler.stop(); // A look each.
    m_source.now = gate + second;
    m_source.processes[4711].counters.cpuNs = second / 100 * cpuPercent;
    m_source.processes[4711].counters.readyNs = second / 100 * readyPercent;
    sampler.stop();
    const ProcessLive live = m_log->snapshots.newest()->processes[1];
    QTEST(live.state, "state");
    QCOMPARE(live.readyShare, readyPercent / 100.0);
}

QTEST_GUILESS_MAIN(tst_RunSampler)
#include "tst_run_sampler.moc"
