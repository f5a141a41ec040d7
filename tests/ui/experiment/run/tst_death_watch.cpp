// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/roles.h"
#include "ui/experiment/run/death_watch.h"

#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 millisecond = 1'000'000;

/// A log with a parent and @p count processes of @p role that all go on.
std::shared_ptr<RunLog> logOf(const ProcessRole *role, const QString &name, int count)
{
    auto log = std::make_shared<RunLog>();
    ProcessRecord parent;
    parent.name = u"main"_s;
    parent.colorIndex = -1;
    log->addProcess(parent);
    for (int i = 0; i < count; ++i) {
        ProcessRecord process;
        process.name = u"%1-%2"_s.arg(name).arg(i + 1);
        process.role = role;
        process.colorIndex = i;
        log->addProcess(process);
    }
    return log;
}

struct Death
{
    int process = 0;
    int signal = 0;
    int exitCode = 0;
    bool byRun = false;
    qint64 atMs = 100;
};

void end(RunLog &log, const Death &death)
{
    log.updateProcess(death.process, [&death](ProcessRecord &record) {
        record.endNs = death.atMs * millisecond;
        record.signal = death.signal;
        record.exitCode = death.exitCode;
        record.endedByRun = death.byRun;
    });
}

void replace(RunLog &log, int process, const QString &name, qint64 atMs)
{
    ProcessRecord record = log.processes().at(process);
    record = ProcessRecord{
        .name = name, .role = record.role, .startNs = atMs * millisecond, .replaces = process};
    log.addProcess(record);
}

void failTask(RunLog &log, quint32 index, int process, TaskError error, int code)
{
    TaskRecord task;
    task.index = index;
    task.process = process;
    task.status = error == TaskError::Lost ? TaskStatus::Lost : TaskStatus::Failed;
    task.error = error;
    task.code = static_cast<qint16>(code);
    log.tasks.append(task);
}

DeathWatch watchOf(const std::shared_ptr<RunLog> &log, const QString &kind)
{
    DeathWatch watch;
    watch.setRun(log, ExperimentSpec(kind));
    return watch;
}

} // namespace

class tst_DeathWatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void quietWhileAllIsWell();
    void tellsOfATask_data();
    void tellsOfATask();
    void exceptionIsNoDeath();
    void recycledWorkerIsNoDeath();
    void tellsOfTheSuccessorOnceItIsThere();
    void tellsOfTheLastOfSeveral();
    void idleWorkerLosesNoTask();
    void retriedTaskIsNotCalledLost();
    void tellsOfAConsumersItem();
    void tellsOfMissingIncrements();
};

void tst_DeathWatch::quietWhileAllIsWell()
{
    const auto log = logOf(test::worker(), u"worker"_s, 2);
    DeathWatch watch = watchOf(log, u"pool"_s);
    QVERIFY(!watch.advance());
    end(*log, {.process = 1});
    QVERIFY(!watch.advance());
    watch.setRun({}, ExperimentSpec());
    QVERIFY(!watch.advance());
}

void tst_DeathWatch::tellsOfATask_data()
{
    QTest::addColumn<int>("signal");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<bool>("byRun");
    QTest::addColumn<TaskError>("error");
    QTest::addColumn<QString>("title");
    QTest::addColumn<QString>("detail");
    const QString pythonWaits = u" Python's Pool would wait for its result for ever."_s;
    QTest::newRow("crash") << SIGSEGV << 0 << false << TaskError::Signal
                           << u"worker-1 crashed in task #12 (SIGSEGV)."_s
                           << u"Task #12 failed with it."_s + pythonWaits;
    QTest::newRow("exit") << 0 << 3 << false << TaskError::Exit
                          << u"worker-1 ended in task #12 (exit code 3)."_s
                          << u"Task #12 failed with it."_s + pythonWaits;
    QTest::newRow("killed") << SIGKILL << 0 << false << TaskError::Lost
                            << u"worker-1 was killed from outside in task #12 (SIGKILL)."_s
                            << u"Task #12 is lost."_s + pythonWaits;
    QTest::newRow("timeout") << SIGKILL << 0 << true << TaskError::Timeout
                             << u"worker-1 was ended in task #12, which overran its time limit."_s
                             << u"Task #12 failed with it. Python's Pool knows no time limit for a "
                                "task."_s;
}

void tst_DeathWatch::tellsOfATask()
{
    QFETCH(const int, signal);
    QFETCH(const int, exitCode);
    QFETCH(const bool, byRun);
    QFETCH(const TaskError, error);
    QFETCH(const QString, title);
    QFETCH(const QString, detail);
    const auto log = logOf(test::worker(), u"worker"_s, 2);
    DeathWatch watch = watchOf(log, u"pool"_s);
    end(*log, {.process = 1, .signal = signal, .exitCode = exitCode, .byRun = byRun});
    failTask(*log, 12, 1, error, signal != 0 ? signal : exitCode);
    const auto notice = watch.advance();
    QVERIFY(notice);
    QCOMPARE(notice->title, title);
    QCOMPARE(notice->detail, detail);
    QCOMPARE(notice->deaths, 1);
}

void tst_DeathWatch::exceptionIsNoDeath()
{
    const auto log = logOf(test::worker(), u"worker"_s, 1);
    DeathWatch watch = watchOf(log, u"pool"_s);
    failTask(*log, 3, 1, TaskError::Exception, 0);
    QVERIFY(!watch.advance());
    end(*log, {.process = 1}); // Later, at the end of the run.
    QVERIFY(!watch.advance());
}

void tst_DeathWatch::recycledWorkerIsNoDeath()
{
    const auto log = logOf(test::worker(), u"worker"_s, 1);
    DeathWatch watch = watchOf(log, u"pool"_s);
    end(*log, {.process = 1, .byRun = true});
    replace(*log, 1, u"worker-2"_s, 110);
    QVERIFY(!watch.advance());
}

void tst_DeathWatch::tellsOfTheSuccessorOnceItIsThere()
{
    const auto log = logOf(test::worker(), u"worker"_s, 4);
    DeathWatch watch = watchOf(log, u"pool"_s);
    end(*log, {.process = 4, .signal = SIGSEGV, .atMs = 100});
    failTask(*log, 12, 4, TaskError::Signal, SIGSEGV);
    QCOMPARE(watch.advance()->title, u"worker-4 crashed in task #12 (SIGSEGV)."_s);
    replace(*log, 4, u"worker-5"_s, 118);
    QCOMPARE(
        watch.advance()->title,
        u"worker-4 crashed in task #12 (SIGSEGV). worker-5 took its place 18\u00A0ms later."_s);
}

void tst_DeathWatch::tellsOfTheLastOfSeveral()
{
    const auto log = logOf(test::worker(), u"worker"_s, 3);
    DeathWatch watch = watchOf(log, u"pool"_s);
    end(*log, {.process = 3, .signal = SIGSEGV, .atMs = 200});
    failTask(*log, 5, 3, TaskError::Signal, SIGSEGV);
    end(*log, {.process = 1, .signal = SIGABRT, .atMs = 300});
    failTask(*log, 7, 1, TaskError::Signal, SIGABRT);
    const auto notice = watch.advance();
    QCOMPARE(notice->deaths, 2);
    QCOMPARE(notice->title, u"worker-1 crashed in task #7 (SIGABRT)."_s);
    QVERIFY2(notice->detail.startsWith(u"2 processes have died in this run. Task #7 failed"_s),
             qPrintable(notice->detail));
}

void tst_DeathWatch::idleWorkerLosesNoTask()
{
    const auto log = logOf(test::worker(), u"worker"_s, 2);
    DeathWatch watch = watchOf(log, u"pool"_s);
    end(*log, {.process = 2, .signal = SIGKILL});
    QCOMPARE(watch.advance()->detail, QString()); // What it had in hand is not known yet.
    replace(*log, 2, u"worker-3"_s, 101);
    const auto notice = watch.advance();
    QVERIFY2(notice->title.startsWith(u"worker-2 was ended by SIGKILL. worker-3 took"_s),
             qPrintable(notice->title));
    QCOMPARE(notice->detail, u"It was in no task, so no task was lost."_s);
}

void tst_DeathWatch::retriedTaskIsNotCalledLost()
{
    const auto log = logOf(test::worker(), u"worker"_s, 1);
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.on_crash"_s, u"retry"_s);
    DeathWatch watch;
    watch.setRun(log, spec);
    end(*log, {.process = 1, .signal = SIGSEGV});
    replace(*log, 1, u"worker-2"_s, 101);
    QCOMPARE(watch.advance()->detail, u"A task that it had in hand is tried once more."_s);
}

void tst_DeathWatch::tellsOfAConsumersItem()
{
    const auto log = logOf(test::consumer(), u"consumer"_s, 2);
    DeathWatch watch = watchOf(log, u"pipeline"_s);
    end(*log, {.process = 2, .signal = SIGKILL});
    failTask(*log, 1, 2, TaskError::Lost, SIGKILL); // The record of the process itself.
    log->addEvent(
        {0, RunEvent::Severity::Failure, 2, {"process_signalled"_ba, {{u"signal"_s, SIGKILL}}}});
    replace(*log, 2, u"consumer-3"_s, 104);
    auto notice = watch.advance();
    QVERIFY2(
        notice->title.startsWith(u"consumer-2 was ended by SIGKILL. consumer-3 took its place"_s),
        qPrintable(notice->title));
    QCOMPARE(notice->detail, u"No item was lost. In Python nothing would take its place."_s);
    log->addEvent(
        {0, RunEvent::Severity::Failure, 2, {"pipeline.item_lost"_ba, {{u"item"_s, 40}}}});
    notice = watch.advance();
    QCOMPARE(notice->detail,
             u"Item #40 was lost with the process. In Python nothing would take its place."_s);
}

void tst_DeathWatch::tellsOfMissingIncrements()
{
    const auto log = logOf(test::process(), u"process"_s, 2);
    DeathWatch watch = watchOf(log, u"counter"_s);
    end(*log, {.process = 2, .signal = SIGKILL});
    log->updateProcess(2, [](ProcessRecord &record) { record.done = 3123; });
    const auto notice = watch.advance();
    QCOMPARE(notice->title, u"process-2 was ended by SIGKILL."_s);
    QCOMPARE(notice->detail,
             u"It had made 3\u202F123 of its 10\u202F000 increments; nothing takes its place."_s);
}

QTEST_GUILESS_MAIN(tst_DeathWatch)
#include "tst_death_watch.moc"
