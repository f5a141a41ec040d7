// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "core/trace/black_box.h"
#include "core/waits/wait_graph.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

/// The wait of the process named @p process in the tree of this program, if it has one for @p
/// reason now.
std::optional<Wait> waitOf(const QString &process, Wait::Reason reason)
{
    const WaitGraph graph = WaitGraph::snapshot();
    for (const Wait &wait : graph.waits()) {
        if (wait.process == process && wait.reason == reason)
            return wait;
    }
    return std::nullopt;
}

} // namespace

/// Processes of a run are processes of the library: what it tells of waits, it tells of theirs.
class tst_SceneWaits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void graphAndBlackBoxTellOfWaits_data();
    void graphAndBlackBoxTellOfWaits();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_SceneWaits::graphAndBlackBoxTellOfWaits_data()
{
    QTest::addColumn<QJsonObject>("spec");
    QTest::addColumn<QString>("waiting");
    QTest::addColumn<QString>("waker");
    QTest::addColumn<Wait::Reason>("reason");
    const QJsonObject slow{{u"task"_s, u"io.sleep"_s},
                           {u"args"_s, QJsonObject{{u"min_s"_s, 60}, {u"max_s"_s, 60}}}};
    QTest::newRow("for an item") << QJsonObject{{u"kind"_s, u"pipeline"_s}, {u"produce"_s, slow}}
                                 << u"consumer-1"_s << u"producer-1"_s << Wait::Reason::QueueEmpty;
    QTest::newRow("for room") << QJsonObject{{u"kind"_s, u"pipeline"_s}, {u"consume"_s, slow}}
                              << u"producer-1"_s << u"consumer-1"_s << Wait::Reason::QueueFull;
    QTest::newRow("for a lock") << QJsonObject{{u"kind"_s, u"counter"_s},
                                               {u"counter"_s,
                                                QJsonObject{{u"mode"_s, u"lock"_s},
                                                            {u"gap_ns"_s, 1'000'000},
                                                            {u"increments"_s, 1'000'000}}}}
                                << u"process-1"_s << u"process-2"_s << Wait::Reason::Lock;
}

void tst_SceneWaits::graphAndBlackBoxTellOfWaits()
{
    QFETCH(const QJsonObject, spec);
    QFETCH(const QString, waiting);
    QFETCH(const QString, waker);
    QFETCH(const Wait::Reason, reason);
    ExperimentSpec experiment(spec[u"kind"_s].toString());
    for (auto block = spec.begin(); block != spec.end(); ++block) {
        if (block.key() != u"kind"_s)
            experiment.set(block.key(), block.value());
    }
    QVERIFY2(experiment.check().isEmpty(), "the spec of the row is at fault");
    ExperimentRun run(m_engine, experiment);
    QSignalSpy ended(&run, &ExperimentRun::ended);
    QVERIFY(run.start());
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), ExperimentRun::State::Running, patience);
    qint64 waiterPid = 0;
    qint64 wakerPid = 0;
    for (const ProcessRecord &process : run.log()->processes()) {
        waiterPid = process.name == waiting ? process.pid : waiterPid;
        wakerPid = process.name == waker ? process.pid : wakerPid;
    }
    std::optional<Wait> found;
    const auto isSeen = [&] {
        found = waitOf(waiting, reason);
        return found && found->wakers.contains(wakerPid);
    };
    QTRY_VERIFY_WITH_TIMEOUT(isSeen(), patience);
    QCOMPARE(found->pid, waiterPid);
    QVERIFY(found->object.has_value());
    QVERIFY(!found->deadlineNs);

    ::kill(static_cast<pid_t>(waiterPid), SIGKILL);
    const auto isTold = [&] {
        const auto box = BlackBox::of(waiterPid);
        return box && !box->entries.isEmpty() && box->process == waiting;
    };
    QTRY_VERIFY_WITH_TIMEOUT(isTold(), patience);
    run.stop();
    QVERIFY(!ended.isEmpty() || ended.wait(patience));
}

QTEST_GUILESS_MAIN(tst_SceneWaits)
#include "tst_scene_waits.moc"
