// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_note.h"

#include "core/experiment/run/run_result.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QJsonDocument>
#include <QTest>
#include <QTranslator>

#include <cerrno>
#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

/// A language that puts each text between brackets.
class Brackets final : public QTranslator
{
public:
    QString translate(const char *, const char *text, const char *, int) const override
    {
        return u'<' % QString::fromUtf8(text) % u'>';
    }
    bool isEmpty() const override { return false; }
};

std::shared_ptr<RunLog> makeLog()
{
    auto log = std::make_shared<RunLog>();
    for (const QString &name : {u"main"_s, u"worker-1"_s, u"worker-2"_s}) {
        ProcessRecord record;
        record.name = name;
        log->addProcess(record);
    }
    TaskRecord task;
    task.index = 12;
    task.process = 1;
    task.status = TaskStatus::Failed;
    task.error = TaskError::Signal;
    task.code = SIGSEGV;
    log->tasks.append({});
    log->tasks.append(task);
    return log;
}

RunNote note(const QByteArray &code, const QJsonObject &facts = {})
{
    return {code, facts};
}

} // namespace

class tst_RunNote : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eventIsToldFromItsFacts_data();
    void eventIsToldFromItsFacts();
    void noticeIsToldFromItsFacts_data();
    void noticeIsToldFromItsFacts();
    void keptEventIsToldInTheReadersLanguage();
    void errorIsKeptWithItsFacts();
    void jsonHasTheNoticeAsText();
};

void tst_RunNote::eventIsToldFromItsFacts_data()
{
    QTest::addColumn<int>("process");
    QTest::addColumn<RunNote>("note");
    QTest::addColumn<QString>("text");
    const Error error = osError(u"/dev/shm"_s, ENOSPC);
    QTest::newRow("gate") << -1 << note("gate_open", {{"processes"_L1, 2}})
                          << u"Gate open: 2 processes stand ready"_s;
    QTest::newRow("time limit") << -1 << note("time_limit")
                                << u"The run's time limit was reached"_s;
    QTest::newRow("engine") << -1 << errorNote("engine_failed", error) << errorText(error);
    QTest::newRow("task") << 1 << note("task_failed", {{"task"_L1, 1}})
                          << u"task 12 crashed worker-1 (SIGSEGV)"_s;
    QTest::newRow("task that is not there")
        << 1 << note("task_failed", {{"task"_L1, 2}}) << QString();
    QTest::newRow("replaced") << 2
                              << note("process_replaced",
                                      {{"replaces"_L1, 1}, {"after_ms"_L1, 12.345}})
                              << u"worker-2 took the place of worker-1 after 12.3 ms"_s;
    QTest::newRow("signal") << 1 << note("process_signalled", {{"signal"_L1, SIGKILL}})
                            << u"worker-1 was ended by SIGKILL"_s;
    QTest::newRow("exit code") << 1 << note("process_exited", {{"exit_code"_L1, 3}})
                               << u"worker-1 ended with exit code 3"_s;
    QTest::newRow("no worker")
        << -1 << errorNote("worker_missing", error)
        << QString(u"A worker could not be started and is tried again, the others go on: "_s %
                   errorText(error));
    QTest::newRow("more failures")
        << -1 << note("more_failures") << u"More failures stand in the results only"_s;
    QTest::newRow("lost item") << 1 << note("pipeline.item_lost", {{"item"_L1, 40}})
                               << u"Item #40 was lost with the process"_s;
    QTest::newRow("lost item with a name")
        << 1 << note("pipeline.item_lost", {{"item"_L1, 2}, {"name"_L1, u"cherry"_s}})
        << u"Item cherry was lost with the process"_s;
    QTest::newRow("ends") << 0 << note("pipeline.ends_put", {{"ends"_L1, 3}})
                          << u"All producers have ended: put 3 ENDs, one for each consumer"_s;
    QTest::newRow("lock") << 1 << note("counter.lock_handed_on")
                          << u"The lock's owner died: the lock was handed on"_s;
    QTest::newRow("of a newer program") << 1 << note("pool.later") << u"pool.later"_s;
    QTest::newRow("of a newer kind") << 1 << note("later.thing") << u"later.thing"_s;
}

void tst_RunNote::eventIsToldFromItsFacts()
{
    QFETCH(const int, process);
    QFETCH(const RunNote, note);
    QFETCH(const QString, text);
    QCOMPARE(eventText(*makeLog(), {0, RunEvent::Severity::Info, process, note}), text);
}

void tst_RunNote::noticeIsToldFromItsFacts_data()
{
    QTest::addColumn<RunNote>("note");
    QTest::addColumn<QString>("text");
    const QJsonObject counted{{"final"_L1, 13'482}, {"expected"_L1, 20'000}};
    QTest::newRow("none") << RunNote{} << QString();
    QTest::newRow("lost updates")
        << note("counter.updates_lost", counted)
        << u"13\u202F482 of 20\u202F000: 6\u202F518 updates were lost, since two processes read "
           "the same number before either wrote its sum"_s;
    QTest::newRow("one lost update")
        << note("counter.updates_lost", {{"final"_L1, 9}, {"expected"_L1, 10}})
        << u"9 of 10: 1 update was lost, since two processes read the same number before either "
           "wrote its sum"_s;
    QTest::newRow("one message") << note("pipe.all_received", {{"received"_L1, 1}})
                                 << u"The message arrived, whole"_s;
    QTest::newRow("all messages") << note("pipe.all_received", {{"received"_L1, 3}})
                                  << u"All 3 messages arrived, whole and in order"_s;
    QTest::newRow("cut off after one message")
        << note("pipe.end_of_file", {{"received"_L1, 1}})
        << u"The parent got the end of the file after 1 message: the child's end was closed with "
           "its process"_s;
    QTest::newRow("one item put")
        << note("pipeline.items_missing",
                {{"put"_L1, 1}, {"taken"_L1, 0}, {"failed"_L1, 0}, {"lost"_L1, 1}})
        << u"1 item put, 0 taken: 0 failed, 1 lost with a process"_s;
    QTest::newRow("not all made")
        << note("counter.not_all_made", counted)
        << u"13\u202F482 of 20\u202F000: not every process did all its increments"_s;
    QTest::newRow("exact") << note("counter.none_lost",
                                   {{"final"_L1, 20'000}, {"expected"_L1, 20'000}})
                           << u"20\u202F000 of 20\u202F000: no update was lost"_s;
    QTest::newRow("by luck") << note("counter.none_lost_by_luck", counted)
                             << u"No update was lost this time, though nothing prevents it: "
                                "raise gap_ns, increments or processes to see losses"_s;
    QTest::newRow("in turn") << note("counter.none_lost_in_turn", counted)
                             << u"No update was lost, since the processes had no two cores at one "
                                "time: each ran when the others did not"_s;
    QTest::newRow("items missing")
        << note("pipeline.items_missing",
                {{"put"_L1, 100}, {"taken"_L1, 97}, {"failed"_L1, 2}, {"lost"_L1, 1}})
        << u"100 items put, 97 taken: 2 failed, 1 lost with a process"_s;
    QTest::newRow("backpressure")
        << note("pipeline.backpressure", {{"waited_s"_L1, 1.234}})
        << u"Backpressure: producers waited 1.23 s in put(), all added up; the consumers set the pace"_s;
    QTest::newRow("consumers waited")
        << note("pipeline.consumers_waited", {{"waited_s"_L1, 0.5}})
        << u"Consumers waited 0.50 s in get(), all added up; the producers set the pace"_s;
}

void tst_RunNote::noticeIsToldFromItsFacts()
{
    QFETCH(const RunNote, note);
    QFETCH(const QString, text);
    RunResult result;
    result.log = makeLog();
    result.notice = note;
    QCOMPARE(noticeText(result), text);
}

void tst_RunNote::keptEventIsToldInTheReadersLanguage()
{
    const auto log = makeLog();
    log->addEvent(
        {0, RunEvent::Severity::Failure, 1, note("process_signalled", {{"signal"_L1, 9}})});
    log->addEvent(
        {0, RunEvent::Severity::Failure, 1, note("pipeline.item_lost", {{"item"_L1, 4}})});
    Brackets brackets;
    QVERIFY(QCoreApplication::installTranslator(&brackets));
    QCOMPARE(eventText(*log, log->events()[0]), u"<worker-1 was ended by SIGKILL>"_s);
    QCOMPARE(eventText(*log, log->events()[1]), u"<Item #4 was lost with the process>"_s);
    QVERIFY(QCoreApplication::removeTranslator(&brackets));
    QCOMPARE(eventText(*log, log->events()[0]), u"worker-1 was ended by SIGKILL"_s);
}

void tst_RunNote::errorIsKeptWithItsFacts()
{
    const Error error{ErrorCode::ProcessFailed, u"proclab-worker"_s, u"found"_s, u"allowed"_s, 2};
    QCOMPARE(errorNote("engine_failed", error).error(), error);
}

void tst_RunNote::jsonHasTheNoticeAsText()
{
    RunResult result;
    result.spec = ExperimentSpec(u"counter"_s);
    result.log = makeLog();
    const auto noticeIn = [&result] {
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        return writeResultJson(result, buffer)
                   ? QJsonDocument::fromJson(buffer.data()).object().value("notice"_L1)
                   : QJsonValue(QJsonValue::Undefined);
    };
    QCOMPARE(noticeIn(), QJsonValue());
    result.notice = note("counter.none_lost", {{"final"_L1, 4}, {"expected"_L1, 4}});
    QCOMPARE(noticeIn(), QJsonValue(u"4 of 4: no update was lost"_s));
}

QTEST_GUILESS_MAIN(tst_RunNote)
#include "tst_run_note.moc"
