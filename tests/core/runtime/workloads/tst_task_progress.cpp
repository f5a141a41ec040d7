// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task_progress.h"

#include "core/runtime/workloads/loop_progress.h"
#include "core/runtime/workloads/workload.h"

#include <QTest>

#include <atomic>
#include <cmath>
#include <limits>
#include <set>
#include <thread>
#include <vector>

using namespace proclab::runtime;

namespace {

/// The arguments that the form begins with, except that no task fails.
std::vector<std::byte> harmlessArguments(const WorkloadInfo &workload)
{
    std::vector<ArgumentValue> values;
    for (const ArgumentInfo &info : workload.arguments) {
        switch (info.type) {
        case ArgumentType::Integer:
            values.emplace_back(static_cast<std::int64_t>(
                info.name == "every" ? info.maximum : info.defaultNumber));
            break;
        case ArgumentType::Number:
            values.emplace_back(info.defaultNumber);
            break;
        case ArgumentType::Flag:
            values.emplace_back(info.defaultNumber != 0);
            break;
        case ArgumentType::Text:
            values.emplace_back(std::string(info.defaultText));
            break;
        }
    }
    return encodeArguments(values);
}

} // namespace

class tst_TaskProgress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsToldIsAFraction_data();
    void whatIsToldIsAFraction();
    void nothingToldIsNotZero();
    void loopTellsAboutAHundredTimes_data();
    void loopTellsAboutAHundredTimes();
    void partsFollowEachOther();
    void workloadsTellInOrder_data();
    void workloadsTellInOrder();
    void workloadsNeedNobodyWhoLooks_data() { workloadsTellInOrder_data(); }
    void workloadsNeedNobodyWhoLooks();
};

void tst_TaskProgress::whatIsToldIsAFraction_data()
{
    QTest::addColumn<double>("told");
    QTest::addColumn<double>("read");
    constexpr double infinity = std::numeric_limits<double>::infinity();
    QTest::newRow("nothing done") << 0.0 << 0.0;
    QTest::newRow("a part") << 0.25 << 0.25;
    QTest::newRow("all") << 1.0 << 1.0;
    QTest::newRow("less than nothing") << -3.0 << 0.0;
    QTest::newRow("more than all") << 1.5 << 1.0;
    QTest::newRow("no end") << infinity << 1.0;
    QTest::newRow("no beginning") << -infinity << 0.0;
    QTest::newRow("no number") << std::nan("") << 0.0;
}

void tst_TaskProgress::whatIsToldIsAFraction()
{
    QFETCH(const double, told);
    TaskProgress progress{};
    progress.tell(told);
    QVERIFY(progress.fraction());
    QTEST(*progress.fraction(), "read");
}

void tst_TaskProgress::nothingToldIsNotZero()
{
    TaskProgress progress{};
    QVERIFY(!progress.fraction());
    progress.tell(0);
    QVERIFY(progress.fraction());
    progress.reset();
    QVERIFY(!progress.fraction());
}

void tst_TaskProgress::loopTellsAboutAHundredTimes_data()
{
    QTest::addColumn<qint64>("steps");
    QTest::addColumn<double>("growth");
    for (const qint64 steps : {0, 1, 7, 100, 250, 99'999}) {
        for (const double growth : {1.0, 1.5})
            QTest::addRow("%lld, %.1f", steps, growth) << steps << growth;
    }
}

void tst_TaskProgress::loopTellsAboutAHundredTimes()
{
    QFETCH(const qint64, steps);
    QFETCH(const double, growth);
    TaskProgress progress{};
    LoopProgress loop({&progress}, steps, growth);
    QCOMPARE(progress.fraction(), std::optional(0.0));
    std::set<double> told;
    double last = 0;
    for (qint64 done = 0; done <= steps; ++done) {
        loop.at(done);
        const double now = progress.fraction().value_or(-1);
        QVERIFY(now >= last && now <= 1);
        const double share =
            static_cast<double>(done) / static_cast<double>(std::max<qint64>(1, steps));
        QVERIFY(now <= std::pow(share, growth) + 1e-9);
        told.insert(now);
        last = now;
    }
    QVERIFY(told.size() <= 202);
    QVERIFY(steps == 0 || last > 0.97);
}

void tst_TaskProgress::partsFollowEachOther()
{
    TaskProgress progress{};
    const ProgressRange first{&progress, 0, 0.25};
    const ProgressRange second{&progress, 0.25, 1};
    first.tell(0.5);
    QCOMPARE(progress.fraction(), std::optional(0.125));
    first.tell(1);
    QCOMPARE(progress.fraction(), std::optional(0.25));
    second.tell(0);
    QCOMPARE(progress.fraction(), std::optional(0.25));
    second.tell(1);
    QCOMPARE(progress.fraction(), std::optional(1.0));
}

void tst_TaskProgress::workloadsTellInOrder_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("tells");
    for (const WorkloadInfo &workload : workloads()) {
        const QString name = QString::fromLatin1(workload.name.data(), workload.name.size());
        const bool isShort = name == u"noop" || name == u"math.square";
        QTest::newRow(qPrintable(name)) << name << !(isShort || name.startsWith(u"fail."));
    }
}

void tst_TaskProgress::workloadsTellInOrder()
{
    QFETCH(const QString, name);
    QFETCH(const bool, tells);
    const WorkloadInfo &workload = *findWorkload(name.toStdString());
    const std::vector<std::byte> bytes = harmlessArguments(workload);
    TaskProgress progress{};
    std::atomic<bool> looks = false;
    std::atomic<bool> isDone = false;
    bool isInOrder = true;
    std::thread observer([&] {
        double last = -1;
        do {
            const double now = progress.fraction().value_or(-1);
            isInOrder = isInOrder && now >= last && now <= 1;
            last = now;
            looks = true;
        } while (!isDone);
    });
    while (!looks) // Not before somebody looks.
        std::this_thread::yield();
    (void)workload.run({{bytes, workload.arguments}, 0, 7, nullptr, &progress});
    isDone = true;
    observer.join();
    QVERIFY(isInOrder);
    QCOMPARE(progress.fraction().has_value(), tells);
    if (tells) // Coarse: a step may be a fourth of all.
        QVERIFY2(*progress.fraction() >= 0.7, qPrintable(QString::number(*progress.fraction())));
}

void tst_TaskProgress::workloadsNeedNobodyWhoLooks()
{
    QFETCH(const QString, name);
    const WorkloadInfo &workload = *findWorkload(name.toStdString());
    const std::vector<std::byte> bytes = harmlessArguments(workload);
    (void)workload.run({{bytes, workload.arguments}, 0, 7});
}

QTEST_GUILESS_MAIN(tst_TaskProgress)
#include "tst_task_progress.moc"
