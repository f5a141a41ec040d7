// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/cores.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/run_to_end.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QTest>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr double point = 0.01;

ExperimentSpec crowdedPool()
{
    const int workers = 2 * usableCores();
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, workers);
    const QJsonObject work{{u"every"_s, 1'000'000}, {u"work_s"_s, 0.05}};
    spec.set(
        u"tasks"_s,
        QJsonObject{{u"task"_s, u"fail.throw"_s}, {u"args"_s, work}, {u"count"_s, 10 * workers}});
    return spec;
}

ExperimentSpec slowPipeline()
{
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.producers"_s, 2);
    spec.set(u"pipeline.consumers"_s, 1);
    spec.set(u"pipeline.capacity"_s, 2);
    spec.set(u"pipeline.items_per_producer"_s, 100);
    spec.set(u"consume.task"_s, u"io.sleep"_s);
    spec.set(u"consume.args"_s, QJsonObject{{u"min_s"_s, 0.005}, {u"max_s"_s, 0.005}});
    return spec;
}

ExperimentSpec contendedLock()
{
    ExperimentSpec spec(u"counter"_s);
    spec.set(u"counter.mode"_s, u"lock"_s);
    spec.set(u"counter.processes"_s, 4);
    spec.set(u"counter.increments"_s, 3'000);
    spec.set(u"counter.gap_ns"_s, 100'000); // With the lock in hand.
    return spec;
}

/// What the kernel's clocks say of a process between two readings, in seconds.
struct Account
{
    qint64 fromNs = 0;
    qint64 toNs = 0;
    double running = 0;
    double ready = 0;

    [[nodiscard]] double seconds() const { return static_cast<double>(toNs - fromNs) / 1e9; }
    [[nodiscard]] double blocked() const { return seconds() - running - ready; }
};

/// From the first sample to the last that was read while it lived.
Account accountOf(const AppendLog<ProcessSample> &samples)
{
    Account account;
    for (std::size_t i = 0; i < samples.size() && samples[i].residentBytes > 0; ++i) {
        const ProcessSample &sample = samples[i];
        if (i == 0)
            account.fromNs = account.toNs = sample.timeNs;
        const double seconds = static_cast<double>(sample.timeNs - account.toNs) / 1e9;
        account.running += seconds * static_cast<double>(sample.cpuPercent) / 100;
        account.ready += seconds * static_cast<double>(sample.readyPercent) / 100;
        account.toNs = sample.timeNs;
    }
    return account;
}

/// How long the process itself says that it was at work in that time, on a core or ready for one.
double toldAtWork(const AppendLog<Span> &spans, const Account &account)
{
    double seconds = 0;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const Span span = spans[i];
        const bool atWork =
            span.activity == Span::Activity::Running || span.activity == Span::Activity::ReadyToRun;
        const double busy = span.activity == Span::Activity::Busy ? static_cast<double>(span.busy)
                            : atWork                              ? 1
                                                                  : 0;
        const qint64 length =
            std::min(span.endNs, account.toNs) - std::max(span.startNs, account.fromNs);
        seconds += busy * static_cast<double>(std::max<qint64>(length, 0)) / 1e9;
    }
    return seconds;
}

} // namespace

/// Running, ready and blocked make up the whole time of a process, and agree with what it tells.
class tst_TimeShares : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void threePartsMakeTheWhole_data();
    void threePartsMakeTheWhole();

private:
    Engine m_engine;
};

void tst_TimeShares::threePartsMakeTheWhole_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::newRow("pool of more workers than cores") << crowdedPool();
    QTest::newRow("pipeline") << slowPipeline();
    QTest::newRow("counter with a lock") << contendedLock();
}

void tst_TimeShares::threePartsMakeTheWhole()
{
    QFETCH(const ExperimentSpec, spec);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const RunLog &log = *run.log();
    const QList<ProcessRecord> processes = log.processes();
    const QJsonArray workers = test::resultJson(run.result())[u"workers"_s].toArray();
    const StageSnapshotPointer last = log.snapshots.newest();
    for (int process = 1; process < processes.size(); ++process) {
        const ProcessRecord &record = processes[process];
        const Account account = accountOf(log.lane(process).samples);
        const double whole = account.seconds();
        const double told = toldAtWork(log.lane(process).spans, account);
        const QString facts = u"%1: %2 s, running %3, ready %4, told at work %5"_s.arg(record.name)
                                  .arg(whole)
                                  .arg(account.running)
                                  .arg(account.ready)
                                  .arg(told);
        QVERIFY2(whole > 0, qPrintable(facts));
        // Nothing counts twice. A process at work is on a core or ready for one.
        QVERIFY2(account.blocked() >= -point * whole, qPrintable(facts));
        QVERIFY2(account.running + account.ready >= told - point * whole, qPrintable(facts));
        // The share on its card is the same account's.
        const double share = last->processes[process].readyShare;
        const double readySeconds = share * static_cast<double>(record.endNs) / 1e9;
        QVERIFY2(readySeconds <= record.readySeconds + point * whole,
                 qPrintable(facts + u", share %1"_s.arg(share)));

        const QJsonValue worker = workers[process - 1];
        const double parts = worker[u"cpu_s"_s].toDouble() + worker[u"ready_s"_s].toDouble() +
                             worker[u"blocked_s"_s].toDouble();
        const double life = static_cast<double>(record.endNs - record.startNs) / 1e9;
        // The parent hears of a start some time after it; the clocks count from the start itself.
        constexpr double heardLate = 0.05;
        QVERIFY2(std::abs(parts - life) <= point * life + heardLate,
                 qPrintable(facts + u", %1 of %2 s"_s.arg(parts).arg(life)));
    }
}

QTEST_GUILESS_MAIN(tst_TimeShares)
#include "tst_time_shares.moc"
