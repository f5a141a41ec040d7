// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/fork/fork_kind.h"
#include "core/experiment/kinds/fork/fork_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/monitor/page_count.h"
#include "core/process/engine.h"
#include "tests/support/kernel_state.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

constexpr qint64 mebibyte = 1 << 20;

ExperimentSpec forks(const QJsonObject &block)
{
    ExperimentSpec spec(u"fork"_s);
    spec.set(u"fork"_s, block);
    return spec;
}

pid_t pidOf(const ExperimentRun &run, int process)
{
    return static_cast<pid_t>(run.log()->processes().at(process).pid);
}

const ForkState &lastState(const ExperimentRun &run)
{
    return run.log()->snapshots.newest()->state<ForkState>();
}

QList<QByteArray> eventCodes(const ExperimentRun &run)
{
    QList<QByteArray> codes;
    const AppendLog<RunEvent> &events = run.log()->events();
    for (std::size_t i = 0; i < events.size(); ++i)
        codes.append(events[i].note.code);
    return codes;
}

} // namespace

class tst_ForkRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void onlyWhatIsWrittenIsCopied_data();
    void onlyWhatIsWrittenIsCopied();
    void blocksAreCountedOneByOne();
    void childrenAreProcessesOfTheRun();
    void memoryIsCountedOnce();
    void deadlineEndsAForkBesideAThread();
    void killedOneIsNamed_data();
    void killedOneIsNamed();
    void signalsReachAChild();
    void stopEndsAll_data();
    void stopEndsAll();
    void faultsNameTheirField_data();
    void faultsNameTheirField();
    void stateSurvivesPacking();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_ForkRun::onlyWhatIsWrittenIsCopied_data()
{
    QTest::addColumn<int>("memoryMib");
    QTest::addColumn<int>("percent");
    QTest::addColumn<int>("children");
    QTest::newRow("a quarter") << 64 << 25 << 1;
    QTest::newRow("nothing") << 16 << 0 << 3;
    QTest::newRow("all") << 16 << 100 << 1;
    QTest::newRow("all, twice") << 8 << 100 << 2;
    QTest::newRow("a part of a block") << 1 << 1 << 1;
    QTest::newRow("many children") << 2 << 50 << 64;
}

void tst_ForkRun::onlyWhatIsWrittenIsCopied()
{
    QFETCH(const int, memoryMib);
    QFETCH(const int, percent);
    QFETCH(const int, children);
    ExperimentRun run(m_engine, forks({{u"memory_mib"_s, memoryMib},
                                       {u"touch_percent"_s, percent},
                                       {u"children"_s, children}}));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QVERIFY(!result.engineError);
    QCOMPARE(result.exitStatus(), 0);
    QCOMPARE(result.totals.done, static_cast<quint64>(children) + 1);
    const qint64 page = static_cast<qint64>(pageSize());
    const qint64 pages = memoryMib * mebibyte / page;
    const qint64 written = qRound64(static_cast<double>(pages) * percent / 100);
    const QJsonValue outcome = result.outcome;
    QCOMPARE(outcome[u"parent_value_before"_s].toInt(), 10);
    QCOMPARE(outcome[u"parent_value_after"_s].toInt(), 10);
    QCOMPARE(outcome[u"child_value"_s].toInt(), 11);
    QVERIFY(outcome[u"fork_s"_s].toDouble() > 0);
    const QJsonArray all = outcome[u"children"_s].toArray();
    QCOMPARE(all.size(), children);
    for (qsizetype i = 0; i < all.size(); ++i) {
        QCOMPARE(all[i][u"value"_s].toInteger(), 11 + i);
        QCOMPARE(all[i][u"exit_code"_s].toInt(-1), 0);
        QCOMPARE(all[i][u"written_bytes"_s].toInteger(), written * page);
    }
    if (!countMemory())
        QSKIP("This kernel does not tell whose pages are.");
    QCOMPARE(outcome[u"copied_bytes"_s].toInteger(), written * page * children);
    QCOMPARE(outcome[u"shared_bytes"_s].toInteger(), (pages - written) * page);
    QVERIFY(result.noticeIsGood);
    QCOMPARE(result.notice.code, "fork.copied");
}

void tst_ForkRun::blocksAreCountedOneByOne()
{
    const ExperimentSpec spec = forks({{u"memory_mib"_s, 4}, {u"touch_percent"_s, 50}});
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const ForkState &now = lastState(run);
    if (now.countsPages == 0)
        QSKIP("This kernel does not tell whose pages are.");
    QCOMPARE(now.cells, forkMemory(spec).cells);
    for (qint64 cell = 0; cell < now.cells; ++cell) {
        const qint64 own = cell < now.cells / 2 ? now.pagesOf(cell) : 0;
        QCOMPARE(now.ownPagesOf(1, cell), own);
        // What the child has a copy of, the parent has for itself again.
        QCOMPARE(now.ownPagesOf(0, cell), own);
    }
    QCOMPARE(now.parentsSharedPages(), now.pages / 2);
}

void tst_ForkRun::childrenAreProcessesOfTheRun()
{
    ExperimentRun run(m_engine, forks({{u"memory_mib"_s, 1}, {u"children"_s, 2}}));
    QVERIFY(test::runToEnd(run));
    const QList<ProcessRecord> all = run.log()->processes();
    QStringList names;
    for (const ProcessRecord &record : all)
        names.append(record.name);
    QCOMPARE(names, (QStringList{u"main"_s, u"parent"_s, u"child-1"_s, u"child-2"_s}));
    const ForkState &now = lastState(run);
    for (int child = 0; child < 2; ++child) {
        const ProcessRecord &record = all[child + 2];
        const ForkState::Child &told = now.children[static_cast<std::size_t>(child)];
        QCOMPARE(told.pid, record.pid); // What fork() returned to the parent.
        QCOMPARE(told.returned, 0);
        QVERIFY(record.startNs >= 0 && record.endNs >= record.startNs);
        QVERIFY(record.cpuSeconds > 0 && record.peakResidentBytes > 0);
        QVERIFY(record.endNs <= all[1].endNs); // It waits for them.
        const auto &spans = run.log()->lane(child + 2).spans;
        QVERIFY(!spans.isEmpty());
        QVERIFY(spans[0].startNs >= 0 && spans[spans.size() - 1].endNs <= record.endNs);
    }
    QCOMPARE(eventCodes(run).count("fork.forked"), 2);
}

/// What a child has of its parent is no memory of its own, in samples either.
void tst_ForkRun::memoryIsCountedOnce()
{
    // Much more than what a sanitizer has of its own.
    ExperimentRun run(m_engine, forks({{u"memory_mib"_s, 256}, {u"touch_percent"_s, 0}}));
    QVERIFY(test::runToEnd(run));
    if (lastState(run).countsPages == 0)
        QSKIP("This kernel does not tell whose pages are.");
    const auto &samples = run.log()->lane(2).samples;
    QVERIFY(samples.size() > 2);
    const ProcessSample sample = samples[samples.size() / 2];
    QVERIFY(sample.residentBytes > 256 * mebibyte);
#ifndef __SANITIZE_THREAD__ // Its notes on what is read are each process's own, and larger.
    QVERIFY(sample.privateBytes() < 128 * mebibyte);
#endif
}

void tst_ForkRun::deadlineEndsAForkBesideAThread()
{
    ExperimentRun run(
        m_engine, forks({{u"memory_mib"_s, 1}, {u"children"_s, 2}, {u"beside_thread"_s, true}}));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QVERIFY(!result.engineError);
    QCOMPARE(result.exitStatus(), 0); // That is what was to be shown.
    QVERIFY(test::addsUp(result.totals));
    QVERIFY(result.elapsedSeconds >= 1.9 && result.elapsedSeconds < 30);
    QCOMPARE(result.notice.code, "fork.lock_was_copied");
    QVERIFY(noticeText(result).contains(u"only the thread that calls fork()"_s));
    QVERIFY(result.outcome[u"child_value"_s].isNull());
    QCOMPARE(result.outcome[u"parent_value_after"_s].toInt(), 10);
    for (const QJsonValue child : result.outcome[u"children"_s].toArray()) {
        QCOMPARE(child[u"exit_code"_s].toInt(), -SIGKILL);
        QCOMPARE(child[u"ended_by_deadline"_s].toBool(), true);
    }
    QCOMPARE(lastState(run).lockIsFree, 1);
    QCOMPARE(eventCodes(run).count("fork.ended_by_deadline"), 2);
    QVERIFY(!eventCodes(run).contains("process_signalled"));
    // They were at the lock all the time.
    const ProcessRecord child = run.log()->processes().at(2);
    QVERIFY(child.waitingSeconds > 1.5);
    const auto &spans = run.log()->lane(2).spans;
    QCOMPARE(spans.size(), 1U);
    QCOMPARE(spans[0].activity, Span::Activity::WaitingForLock);
    QCOMPARE(spans[0].endNs, child.endNs);
    // All was shared as long as they were there.
    QVERIFY(lastState(run).countsPages != 1 ||
            lastState(run).parentsSharedPages() == lastState(run).pages);
}

void tst_ForkRun::killedOneIsNamed_data()
{
    QTest::addColumn<int>("process");
    QTest::addColumn<bool>("besideThread");
    QTest::newRow("child") << 2 << false;
    QTest::newRow("parent") << 1 << false;
    QTest::newRow("child at the lock") << 2 << true;
    QTest::newRow("parent, child at the lock") << 1 << true;
}

/// At a random instant.
void tst_ForkRun::killedOneIsNamed()
{
    QFETCH(const int, process);
    QFETCH(const bool, besideThread);
    QRandomGenerator random = test::drawnGenerator();
    constexpr int rounds = 2;
    for (int round = 0; round < rounds; ++round) {
        ExperimentRun run(
            m_engine,
            forks({{u"memory_mib"_s, 8}, {u"children"_s, 3}, {u"beside_thread"_s, besideThread}}));
        QVERIFY(run.start());
        QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Running &&
                                     run.log()->processCount() > process,
                                 patience);
        const int delayMs = random.bounded(300);
        QElapsedTimer passed;
        passed.start();
        QTRY_VERIFY_WITH_TIMEOUT(passed.elapsed() >= delayMs, patience);
        QCOMPARE(::kill(pidOf(run, process), SIGKILL), 0);
        QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
        const RunResult &result = run.result();
        QVERIFY2(!result.engineError, qPrintable(u"after %1 ms"_s.arg(delayMs)));
        QCOMPARE(result.exitStatus(), 1);
        QVERIFY(test::addsUp(result.totals));
        const QList<ProcessRecord> all = run.log()->processes();
        QCOMPARE(all[process].signal, SIGKILL);
        QVERIFY(eventCodes(run).contains("process_signalled"));
        for (const ProcessRecord &record : all.mid(1))
            QVERIFY(record.endNs >= 0);
        if (process == 1) {
            for (const ProcessRecord &record : all.mid(2))
                QCOMPARE(record.signal, SIGKILL); // None outlives it.
            QVERIFY(result.outcome[u"parent_value_after"_s].isNull());
        } else {
            QCOMPARE(result.totals.lost, 1U);
            QCOMPARE(result.outcome[u"children"_s][0][u"exit_code"_s].toInt(), -SIGKILL);
            QCOMPARE(result.outcome[u"parent_value_after"_s].toInt(), 10);
        }
    }
}

void tst_ForkRun::signalsReachAChild()
{
    ExperimentRun run(m_engine, forks({{u"memory_mib"_s, 1}}));
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.log()->processCount() > 2, patience);
    const pid_t pid = pidOf(run, 2);
    run.sendSignal(2, SIGSTOP);
    QTRY_COMPARE_WITH_TIMEOUT(test::kernelState(pid), 'T', patience);
    run.sendSignal(2, SIGCONT);
    run.sendSignal(2, SIGTERM);
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
    QCOMPARE(run.result().totals.lost, 1U);
    QCOMPARE(run.log()->processes().at(2).signal, SIGTERM);
    run.sendSignal(2, SIGTERM); // Without effect.
}

void tst_ForkRun::stopEndsAll_data()
{
    QTest::addColumn<QJsonObject>("block");
    QTest::newRow("writing") << QJsonObject{{u"memory_mib"_s, 64}, {u"children"_s, 4}};
    QTest::newRow("at the lock") << QJsonObject{{u"beside_thread"_s, true}};
}

void tst_ForkRun::stopEndsAll()
{
    QFETCH(const QJsonObject, block);
    ExperimentRun run(m_engine, forks(block));
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.log()->processCount() > 2, patience);
    run.stop();
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
    QVERIFY(run.result().stopped);
    QVERIFY(!run.result().engineError);
    QVERIFY(test::addsUp(run.result().totals));
    for (const ProcessRecord &record : run.log()->processes().mid(1))
        QVERIFY(record.endNs >= 0);
}

void tst_ForkRun::faultsNameTheirField_data()
{
    QTest::addColumn<QJsonObject>("block");
    QTest::addColumn<QString>("path");
    QTest::newRow("no memory") << QJsonObject{{u"memory_mib"_s, 0}} << u"fork.memory_mib"_s;
    QTest::newRow("too much memory")
        << QJsonObject{{u"memory_mib"_s, 1'025}} << u"fork.memory_mib"_s;
    QTest::newRow("too much in all")
        << QJsonObject{{u"memory_mib"_s, 1'024}, {u"touch_percent"_s, 100}, {u"children"_s, 4}}
        << u"fork.memory_mib"_s;
    QTest::newRow("more than all")
        << QJsonObject{{u"touch_percent"_s, 101}} << u"fork.touch_percent"_s;
    QTest::newRow("no children") << QJsonObject{{u"children"_s, 0}} << u"fork.children"_s;
    QTest::newRow("too many children") << QJsonObject{{u"children"_s, 65}} << u"fork.children"_s;
    QTest::newRow("no flag") << QJsonObject{{u"beside_thread"_s, 1}} << u"fork.beside_thread"_s;
    QTest::newRow("another method")
        << QJsonObject{{u"start_method"_s, u"fork"_s}} << u"fork.start_method"_s;
    // Of what is only shared there is enough.
    QTest::newRow("much, only read")
        << QJsonObject{{u"memory_mib"_s, 1'024}, {u"touch_percent"_s, 0}, {u"children"_s, 64}}
        << QString();
}

void tst_ForkRun::faultsNameTheirField()
{
    QFETCH(const QJsonObject, block);
    QFETCH(const QString, path);
    const QList<Error> faults = forks(block).check();
    QCOMPARE(faults.isEmpty(), path.isEmpty());
    if (!faults.isEmpty())
        QCOMPARE(faults.first().subject, path);
}

void tst_ForkRun::stateSurvivesPacking()
{
    ForkState state;
    state.pages = 1'024;
    state.cells = 3;
    state.valueBefore = 10;
    state.valueAfter = ForkState::notKnown;
    state.countsPages = 1;
    state.lockIsFree = 1;
    state.children = {{101, 0, 11, 256, 4'096, 8'192, 900'000, 0, 1}, {}};
    state.ownPages = {0, 341, 342, 1, 2, 3, 4, 5, 6};
    const auto numbers = state.packed(1'000);
    const auto back = std::dynamic_pointer_cast<const ForkState>(state.unpacked(numbers, 1'000));
    QVERIFY(back);
    QCOMPARE(back->children, state.children);
    QCOMPARE(back->ownPages, state.ownPages);
    QCOMPARE(back->packed(1'000), numbers);
    QCOMPARE(back->copiedBytes(), 4'096);
    QCOMPARE(back->sharedBytes(), 8'192);
    // Whatever was cut off, what is left has a meaning.
    for (std::size_t size = 0; size < numbers.size(); ++size) {
        const auto part = state.unpacked(std::span(numbers).first(size), 1'000);
        (void)static_cast<const ForkState &>(*part).parentsSharedPages();
    }
}

QTEST_GUILESS_MAIN(tst_ForkRun)
#include "tst_fork_run.moc"
