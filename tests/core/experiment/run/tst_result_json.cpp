// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_result.h"
#include "tests/support/roles.h"

#include <QBuffer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

#include <algorithm>
#include <limits>

using namespace Qt::StringLiterals;
using namespace proclab;

Q_DECLARE_METATYPE(proclab::TaskRecord)
Q_DECLARE_METATYPE(proclab::TaskError)
Q_DECLARE_METATYPE(proclab::RunTotals)

namespace {

constexpr qint64 second = 1'000'000'000;

/// Counts what is written and keeps nothing; fails once its room is used up.
class CountingDevice final : public QIODevice
{
public:
    explicit CountingDevice(qint64 room = std::numeric_limits<qint64>::max()) : m_room(room)
    {
        open(QIODevice::WriteOnly | QIODevice::Unbuffered);
    }

    qint64 written = 0;
    qint64 largestWrite = 0;

protected:
    qint64 readData(char *, qint64) override { return -1; }
    qint64 writeData(const char *, qint64 size) override
    {
        if (size > m_room - written)
            return -1;
        written += size;
        largestWrite = std::max(largestWrite, size);
        return size;
    }

private:
    qint64 m_room;
};

ProcessRecord process(const QString &name, const ProcessRole *role, qint64 pid)
{
    ProcessRecord record;
    record.name = name;
    record.role = role;
    record.pid = pid;
    return record;
}

TaskRecord done(quint32 index, qint64 value)
{
    TaskRecord task;
    task.index = index;
    task.process = 1;
    task.valueType = TaskRecord::ValueType::Integer;
    task.integer = value;
    task.submittedNs = 100'000;
    task.startedNs = second / 2;
    task.finishedNs = second + index;
    return task;
}

TaskRecord failed(quint32 index, TaskError error, qint16 code)
{
    TaskRecord task = done(index, 0);
    task.valueType = TaskRecord::ValueType::None;
    task.status = TaskStatus::Failed;
    task.error = error;
    task.code = code;
    return task;
}

/// The result of a pool whose second worker replaced the first.
struct Sample
{
    std::shared_ptr<RunLog> log = std::make_shared<RunLog>();
    RunResult result;

    Sample()
    {
        log->addProcess(process(u"main"_s, nullptr, 100));
        ProcessRecord first = process(u"worker-1"_s, test::worker(), 4711);
        first.signal = 11;
        first.endNs = 2 * second;
        first.done = 2;
        first.cpuSeconds = 1.875;
        first.readySeconds = 0.0625;
        first.peakResidentBytes = 5'242'880;
        log->addProcess(first);
        ProcessRecord replacement = process(u"worker-2"_s, test::worker(), 4712);
        replacement.replaces = 1;
        log->addProcess(replacement);
        result.spec.set(u"tasks.task"_s, u"noop"_s);
        result.spec.set(u"tasks.count"_s, 3);
        result.spec.set(u"title"_s, u"Sample"_s);
        result.spec.set(u"seed"_s, 7);
        result.seed = 7;
        result.started = QDateTime::fromString(u"2026-01-31T12:00:00.250Z"_s, Qt::ISODateWithMs);
        result.startupSeconds = 0.012;
        result.elapsedSeconds = 1.5;
        result.totals = {3, 2, 1, 0, 0, 0, 1.25};
        result.outcome = QJsonObject();
        result.log = log;
    }

    QJsonObject json() const
    {
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        if (!writeResultJson(result, buffer))
            return {};
        QJsonParseError error;
        const QJsonDocument document = QJsonDocument::fromJson(buffer.data(), &error);
        if (error.error != QJsonParseError::NoError)
            qWarning() << error.errorString() << buffer.data().mid(error.offset - 40, 80);
        return document.object();
    }

    QByteArray csv() const
    {
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        return writeResultCsv(result, buffer) ? buffer.data() : QByteArray();
    }

    QList<int> indices() const
    {
        QList<int> all;
        for (const QJsonValue &entry : json()[u"results"_s].toArray())
            all.append(entry[u"index"_s].toInt());
        return all;
    }
};

} // namespace

class tst_ResultJson : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void headSaysWhatWasRun();
    void workersAreListedWithoutTheParent();
    void resultHasItsTimesAndValue();
    void valueKeepsItsDigits_data();
    void valueKeepsItsDigits();
    void errorNamesItsCause_data();
    void errorNamesItsCause();
    void neverStartedIsNull();
    void resultsStandInSubmissionOrder();
    void imapUnorderedStandsInOrderOfCompletion();
    void emptyRunIsStillJson();
    void outcomeIsWrittenAsItIs();
    void csvHasALineATask();
    void csvQuotesText();
    void millionTasksAreStreamed();
    void fullDeviceIsTold();
    void exitStatusFollowsFromTheResult_data();
    void exitStatusFollowsFromTheResult();
};

void tst_ResultJson::headSaysWhatWasRun()
{
    const QJsonObject json = Sample().json();
    QCOMPARE(json[u"version"_s], QJsonValue(1));
    QCOMPARE(json[u"kind"_s], QJsonValue(u"pool"_s));
    QCOMPARE(json[u"title"_s], QJsonValue(u"Sample"_s));
    QCOMPARE(json[u"seed"_s], QJsonValue(7));
    QCOMPARE(json[u"started"_s], QJsonValue(u"2026-01-31T12:00:00.250Z"_s));
    QCOMPARE(json[u"startup_s"_s], QJsonValue(0.012));
    QVERIFY(!json[u"explain"_s].toArray().isEmpty());
    QCOMPARE(json[u"elapsed_s"_s], QJsonValue(1.5));
    const QJsonValue host = json[u"host"_s];
    QVERIFY(host[u"cores"_s].toInt() >= 1);
    QVERIFY(!host[u"kernel"_s].toString().isEmpty());
    QVERIFY(host[u"memory_bytes"_s].toDouble() > 1e6);
    const QJsonValue spec = json[u"spec"_s];
    QCOMPARE(spec[u"seed"_s], QJsonValue(7));
    QCOMPARE(spec[u"pool"_s][u"method"_s], QJsonValue(u"apply_async"_s));
    QVERIFY(ExperimentSpec::parse(QJsonDocument(spec.toObject()).toJson(), {}));
    const QJsonObject totals{{u"tasks"_s, 3},
                             {u"done"_s, 2},
                             {u"failed"_s, 1},
                             {u"cancelled"_s, 0},
                             {u"lost"_s, 0},
                             {u"retried"_s, 0},
                             {u"throughput_per_s"_s, 1.25}};
    QCOMPARE(json[u"totals"_s].toObject(), totals);
    QCOMPARE(json[u"outcome"_s], QJsonValue(QJsonObject()));
}

void tst_ResultJson::workersAreListedWithoutTheParent()
{
    const QJsonArray workers = Sample().json()[u"workers"_s].toArray();
    QCOMPARE(workers.size(), 2);
    const QJsonObject first{{u"name"_s, u"worker-1"_s},
                            {u"pid"_s, 4711},
                            {u"tasks"_s, 2},
                            {u"cpu_s"_s, 1.875},
                            {u"ready_s"_s, 0.0625},
                            {u"blocked_s"_s, 0.0625},
                            {u"peak_rss_bytes"_s, 5'242'880},
                            {u"exit_code"_s, 0},
                            {u"signal"_s, 11},
                            {u"replaces"_s, QJsonValue()}};
    QCOMPARE(workers[0].toObject(), first);
    QCOMPARE(workers[1][u"replaces"_s], QJsonValue(u"worker-1"_s));
}

void tst_ResultJson::resultHasItsTimesAndValue()
{
    Sample sample;
    sample.log->tasks.append(done(0, 17'984));
    const QJsonObject expected{
        {u"index"_s, 0},       {u"worker"_s, u"worker-1"_s}, {u"pid"_s, 4711},
        {u"value"_s, 17'984},  {u"error"_s, QJsonValue()},   {u"submitted_s"_s, 0.0001},
        {u"started_s"_s, 0.5}, {u"finished_s"_s, 1}};
    QCOMPARE(sample.json()[u"results"_s][0].toObject(), expected);
}

void tst_ResultJson::valueKeepsItsDigits_data()
{
    QTest::addColumn<TaskRecord>("task");
    QTest::addColumn<QJsonValue>("value");
    QTest::addColumn<QString>("text");
    const qint64 edge = qint64{1} << 53;
    TaskRecord task = done(0, edge);
    QTest::newRow("2^53") << task << QJsonValue(edge) << u"9007199254740992"_s;
    task.integer = edge + 1;
    QString digits = u"9007199254740993"_s;
    QTest::newRow("2^53 + 1") << task << QJsonValue(digits) << digits;
    task.integer = -edge - 1;
    digits = u"-9007199254740993"_s;
    QTest::newRow("-2^53 - 1") << task << QJsonValue(digits) << digits;
    task.valueType = TaskRecord::ValueType::Unsigned;
    task.unsignedInteger = std::numeric_limits<quint64>::max();
    digits = u"18446744073709551615"_s;
    QTest::newRow("2^64 - 1") << task << QJsonValue(digits) << digits;
    task.unsignedInteger = 5;
    QTest::newRow("unsigned") << task << QJsonValue(5) << u"5"_s;
    task.valueType = TaskRecord::ValueType::Number;
    task.number = 0.1;
    QTest::newRow("0.1") << task << QJsonValue(0.1) << u"0.1"_s;
    task.number = std::numeric_limits<double>::infinity();
    QTest::newRow("infinite") << task << QJsonValue() << u"inf"_s;
    task.valueType = TaskRecord::ValueType::None;
    QTest::newRow("none") << task << QJsonValue() << QString();
    task.valueType = TaskRecord::ValueType::Text;
    task.text = 0;
    QTest::newRow("text") << task << QJsonValue(u"a\n\"ü\""_s) << u"a\n\"ü\""_s;
    task.valueType = TaskRecord::ValueType::Digest;
    task.text = 1;
    const QString digest = u"00ff"_s + QString(60, u'a');
    QTest::newRow("digest") << task << QJsonValue(digest) << digest;
    task.text = 99;
    QTest::newRow("text that is not there") << task << QJsonValue(QString()) << QString();
}

void tst_ResultJson::valueKeepsItsDigits()
{
    QFETCH(const TaskRecord, task);
    QFETCH(const QJsonValue, value);
    QFETCH(const QString, text);
    Sample sample;
    sample.log->texts.append("a\n\"ü\"");
    sample.log->texts.append(QByteArray::fromHex("00ff" + QByteArray(60, 'a')));
    sample.log->tasks.append(task);
    QCOMPARE(taskValue(*sample.log, task), value);
    QCOMPARE(taskValueText(*sample.log, task), text);
    QCOMPARE(sample.json()[u"results"_s][0][u"value"_s], value);
}

void tst_ResultJson::errorNamesItsCause_data()
{
    QTest::addColumn<TaskError>("error");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("type");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<int>("signal");
    QTest::newRow("exception") << TaskError::Exception << 0 << u"exception"_s << 0 << 0;
    QTest::newRow("exit") << TaskError::Exit << 3 << u"exit"_s << 3 << 0;
    QTest::newRow("signal") << TaskError::Signal << 11 << u"signal"_s << 0 << 11;
    QTest::newRow("timeout") << TaskError::Timeout << 9 << u"timeout"_s << 0 << 9;
    QTest::newRow("lost") << TaskError::Lost << 9 << u"lost"_s << 0 << 9;
    QTest::newRow("cancelled") << TaskError::Cancelled << 0 << u"cancelled"_s << 0 << 0;
}

void tst_ResultJson::errorNamesItsCause()
{
    QFETCH(const TaskError, error);
    QFETCH(const int, code);
    QFETCH(const QString, type);
    QFETCH(const int, exitCode);
    QFETCH(const int, signal);
    Sample sample;
    TaskRecord task = failed(0, error, static_cast<qint16>(code));
    if (error == TaskError::Exception) {
        task.message = 0;
        sample.log->texts.append("failed on purpose");
    }
    sample.log->tasks.append(task);
    const QJsonValue result = sample.json()[u"results"_s][0];
    QVERIFY(result[u"value"_s].isNull());
    QCOMPARE(result[u"error"_s][u"type"_s], QJsonValue(type));
    QCOMPARE(result[u"error"_s][u"exit_code"_s], QJsonValue(exitCode));
    QCOMPARE(result[u"error"_s][u"signal"_s], QJsonValue(signal));
    const QString message = result[u"error"_s][u"message"_s].toString();
    QVERIFY(!message.isEmpty());
    QVERIFY(error != TaskError::Exception || message == u"failed on purpose"_s);
    QVERIFY(sample.csv().contains(QByteArray(',' + type.toLatin1() + ',')));
}

void tst_ResultJson::neverStartedIsNull()
{
    Sample sample;
    TaskRecord task = failed(0, TaskError::Cancelled, 0);
    task.process = -1;
    task.startedNs = -1;
    sample.log->tasks.append(task);
    const QJsonValue result = sample.json()[u"results"_s][0];
    for (const QString &key : {u"worker"_s, u"pid"_s, u"value"_s, u"started_s"_s})
        QVERIFY2(result[key].isNull(), qPrintable(key));
    QVERIFY(sample.csv().endsWith("0,,,,cancelled,0.0001,,1\n"));
}

void tst_ResultJson::resultsStandInSubmissionOrder()
{
    Sample sample;
    for (const quint32 index : {3U, 0U, 2U, 1U})
        sample.log->tasks.append(done(index, index));
    QCOMPARE(sample.indices(), (QList<int>{0, 1, 2, 3}));
}

void tst_ResultJson::imapUnorderedStandsInOrderOfCompletion()
{
    Sample sample;
    sample.result.spec.set(u"pool.method"_s, u"imap_unordered"_s);
    // The parent takes the results a worker's batch at a time.
    for (const auto &[index, finishedNs] : {std::pair(3U, 10), {2U, 30}, {0U, 20}, {1U, 40}}) {
        TaskRecord task = done(index, index);
        task.finishedNs = second + finishedNs;
        sample.log->tasks.append(task);
    }
    QCOMPARE(sample.indices(), (QList<int>{3, 0, 2, 1}));
}

void tst_ResultJson::emptyRunIsStillJson()
{
    Sample sample;
    sample.result.log = std::make_shared<RunLog>();
    sample.result.outcome = QJsonValue();
    const QJsonObject json = sample.json();
    QVERIFY(!json.isEmpty());
    QVERIFY(json[u"workers"_s].toArray().isEmpty());
    QVERIFY(json[u"results"_s].isArray());
    QVERIFY(json[u"outcome"_s].isNull());
}

void tst_ResultJson::outcomeIsWrittenAsItIs()
{
    Sample sample;
    const QJsonObject outcome{{u"expected"_s, 20'000}, {u"per_producer"_s, QJsonArray{1, 2}}};
    sample.result.outcome = outcome;
    QCOMPARE(sample.json()[u"outcome"_s].toObject(), outcome);
}

void tst_ResultJson::csvHasALineATask()
{
    Sample sample;
    sample.log->tasks.append(done(1, 25));
    sample.log->tasks.append(failed(0, TaskError::Signal, 11));
    QCOMPARE(sample.csv(),
             QByteArray("index,worker,pid,value,error_type,submitted_s,started_s,finished_s\n"
                        "0,worker-1,4711,,signal,0.0001,0.5,1\n"
                        "1,worker-1,4711,25,,0.0001,0.5,1.000000001\n"));
}

void tst_ResultJson::csvQuotesText()
{
    Sample sample;
    TaskRecord task = done(0, 0);
    task.valueType = TaskRecord::ValueType::Text;
    task.text = 0;
    sample.log->texts.append("say \"a, b\"\nend");
    sample.log->tasks.append(task);
    QVERIFY(sample.csv().contains(",\"say \"\"a, b\"\"\nend\","));
}

void tst_ResultJson::millionTasksAreStreamed()
{
    Sample sample;
    constexpr quint32 count = 1'000'000;
    for (quint32 i = 0; i < count; ++i)
        sample.log->tasks.append(done(count - 1 - i, i));
    CountingDevice device;
    QVERIFY(writeResultJson(sample.result, device));
    QVERIFY(device.written > 100LL * count);
    QVERIFY(device.largestWrite < 128 * 1024);
}

void tst_ResultJson::fullDeviceIsTold()
{
    Sample sample;
    for (quint32 i = 0; i < 5'000; ++i)
        sample.log->tasks.append(done(i, i));
    for (const qint64 room : {qint64{0}, qint64{100'000}}) {
        CountingDevice json(room);
        QVERIFY(!writeResultJson(sample.result, json));
        CountingDevice csv(room);
        QVERIFY(!writeResultCsv(sample.result, csv));
    }
}

void tst_ResultJson::exitStatusFollowsFromTheResult_data()
{
    QTest::addColumn<RunTotals>("totals");
    QTest::addColumn<bool>("timeLimitReached");
    QTest::addColumn<bool>("engineFailed");
    QTest::addColumn<int>("failedItems");
    QTest::addColumn<int>("status");
    const auto row = [](const char *name, const RunTotals &totals, int status) {
        QTest::newRow(name) << totals << false << false << 0 << status;
    };
    row("all done", {3, 3, 0, 0, 0, 0, 0}, 0);
    row("one failed", {3, 2, 1, 0, 0, 0, 0}, 1);
    row("one cancelled", {3, 2, 0, 1, 0, 0, 0}, 1);
    row("one lost", {3, 2, 0, 0, 1, 0, 0}, 1);
    row("retried", {3, 3, 0, 0, 0, 2, 0}, 0);
    const RunTotals good{3, 3, 0, 0, 0, 0, 0};
    QTest::newRow("time limit") << good << true << false << 0 << 1;
    QTest::newRow("item failed") << good << false << false << 1 << 1;
    QTest::newRow("engine") << good << true << true << 1 << 3;
}

void tst_ResultJson::exitStatusFollowsFromTheResult()
{
    QFETCH(const RunTotals, totals);
    QFETCH(const bool, timeLimitReached);
    QFETCH(const bool, engineFailed);
    QFETCH(const int, failedItems);
    RunResult result;
    result.totals = totals;
    result.timeLimitReached = timeLimitReached;
    result.failedItems = static_cast<quint64>(failedItems);
    if (engineFailed)
        result.engineError = osError(u"proclab-worker"_s, 2);
    QTEST(result.exitStatus(), "status");
}

QTEST_GUILESS_MAIN(tst_ResultJson)
#include "tst_result_json.moc"
