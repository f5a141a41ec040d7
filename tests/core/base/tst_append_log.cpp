// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/append_log.h"

#include <QTest>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using proclab::AppendLog;

namespace {

struct Entry
{
    quint64 number = 0;
    quint64 complement = ~quint64{0};
};

Entry entryOf(quint64 number)
{
    return {number, ~number};
}

} // namespace

class tst_AppendLog : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void newLogIsEmpty();
    void entriesStayWhereTheyAre();
    void entriesAreDestroyedOnce();
    void readersSeeWholeEntries_data();
    void readersSeeWholeEntries();
};

void tst_AppendLog::newLogIsEmpty()
{
    const AppendLog<int> log;
    QVERIFY(log.isEmpty());
    QCOMPARE(log.size(), std::size_t{0});
}

void tst_AppendLog::entriesStayWhereTheyAre()
{
    constexpr std::size_t count = AppendLog<int>::blockSize * 3 + 1;
    AppendLog<int> log;
    QVERIFY(log.append(0));
    const int *first = &log[0];
    for (std::size_t i = 1; i < count; ++i)
        QVERIFY(log.append(static_cast<int>(i)));
    QCOMPARE(log.size(), count);
    QVERIFY(!log.isEmpty());
    QCOMPARE(&log[0], first);
    for (std::size_t i = 0; i < count; ++i)
        QCOMPARE(log[i], static_cast<int>(i));
}

void tst_AppendLog::entriesAreDestroyedOnce()
{
    const auto shared = std::make_shared<int>(1);
    {
        AppendLog<std::shared_ptr<int>> log;
        for (int i = 0; i < 5'000; ++i)
            QVERIFY(log.append(shared));
        QCOMPARE(shared.use_count(), 5'001);
    }
    QCOMPARE(shared.use_count(), 1);
}

void tst_AppendLog::readersSeeWholeEntries_data()
{
    QTest::addColumn<int>("readers");
    for (const int readers : {1, 3})
        QTest::addRow("%d readers", readers) << readers;
}

void tst_AppendLog::readersSeeWholeEntries()
{
    QFETCH(const int, readers);
    constexpr std::size_t count = AppendLog<Entry>::blockSize * 20 + 17;
    AppendLog<Entry> log;
    std::atomic<quint64> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < readers; ++i) {
        threads.emplace_back([&log, &wrong] {
            std::size_t next = 0;
            while (next < count) {
                for (const std::size_t size = log.size(); next < size; ++next) {
                    const Entry &entry = log[next];
                    if (entry.number != next || entry.complement != ~quint64{next})
                        ++wrong;
                }
            }
        });
    }
    bool allTaken = true;
    for (std::size_t i = 0; i < count; ++i)
        allTaken = log.append(entryOf(i)) && allTaken;
    for (std::thread &thread : threads)
        thread.join();
    QVERIFY(allTaken);
    QCOMPARE(wrong.load(), 0U);
    QCOMPARE(log.size(), count);
}

QTEST_GUILESS_MAIN(tst_AppendLog)
#include "tst_append_log.moc"
