// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QJsonObject>
#include <QTest>

#include <map>
#include <utility>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_RunProgress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), test::patience); }

    void picturesHaveTheProgressOfTasks_data();
    void picturesHaveTheProgressOfTasks();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_RunProgress::picturesHaveTheProgressOfTasks_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::addColumn<bool>("isTold");
    const QJsonObject shortSleep{{u"min_s"_s, 0.4}, {u"max_s"_s, 0.4}};
    ExperimentSpec pool(u"pool"_s);
    pool.set(u"pool.workers"_s, 2);
    pool.set(u"tasks.count"_s, 6);
    pool.set(u"tasks.task"_s, u"io.sleep"_s);
    pool.set(u"tasks.args"_s, shortSleep);
    QTest::newRow("pool") << pool << true;
    pool.set(u"tasks.task"_s, u"fail.throw"_s);
    pool.set(u"tasks.args"_s, QJsonObject{{u"every"_s, 100}, {u"work_s"_s, 0.1}});
    QTest::newRow("pool, not told") << pool << false;
    ExperimentSpec pipeline(u"pipeline"_s);
    pipeline.set(u"pipeline.producers"_s, 1);
    pipeline.set(u"pipeline.consumers"_s, 1);
    pipeline.set(u"pipeline.items_per_producer"_s, 4);
    QTest::newRow("pipeline, not told") << pipeline << false;
    pipeline.set(u"consume.task"_s, u"io.sleep"_s);
    pipeline.set(u"consume.args"_s, shortSleep);
    QTest::newRow("pipeline") << pipeline << true;
    ExperimentSpec counter(u"counter"_s);
    counter.set(u"counter.increments"_s, 100'000);
    QTest::newRow("counter") << counter << false;
}

/// Of no task it goes back, and where none is in hand there is none.
void tst_RunProgress::picturesHaveTheProgressOfTasks()
{
    QFETCH(const ExperimentSpec, spec);
    QFETCH(const bool, isTold);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const SnapshotHistory &pictures = run.log()->snapshots;
    std::map<std::pair<int, qint64>, int> last; // By process and task.
    int midways = 0;
    const qint64 endNs = pictures.newest()->timeNs;
    for (qint64 timeNs = 0; timeNs <= endNs; timeNs += 10'000'000) {
        const StageSnapshotPointer picture = pictures.at(timeNs);
        for (const ProcessLive &live : picture->processes) {
            if (live.currentIndex < 0 || isOver(live.state)) {
                QCOMPARE(live.progressPercent, -1);
                continue;
            }
            if (live.progressPercent < 0)
                continue;
            int &before = last[{live.process, live.currentIndex}];
            QVERIFY(live.progressPercent >= before && live.progressPercent <= 100);
            before = live.progressPercent;
            midways += before > 0 && before < 100 ? 1 : 0;
        }
    }
    for (const ProcessLive &live : pictures.newest()->processes)
        QCOMPARE(live.progressPercent, -1);
    QCOMPARE(midways > 0, isTold);
}

QTEST_GUILESS_MAIN(tst_RunProgress)
#include "tst_run_progress.moc"
