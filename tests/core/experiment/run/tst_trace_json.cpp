// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_result.h"
#include "core/experiment/run/trace_json.h"
#include "tests/support/roles.h"
#include "tests/support/trace_check.h"

#include <QBuffer>
#include <QJsonArray>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

Q_DECLARE_METATYPE(proclab::Span)

namespace {

constexpr qint64 millisecond = 1'000'000;

/// Takes so many bytes and no more.
class SmallDevice final : public QIODevice
{
public:
    explicit SmallDevice(qint64 room) : m_room(room)
    {
        open(QIODevice::WriteOnly | QIODevice::Unbuffered);
    }

    int refusals = 0;

protected:
    qint64 readData(char *, qint64) override { return -1; }
    qint64 writeData(const char *, qint64 size) override
    {
        if (size > m_room) {
            ++refusals;
            return -1;
        }
        m_room -= size;
        return size;
    }

private:
    qint64 m_room;
};

ProcessRecord process(const QString &name, const ProcessRole *role, qint64 pid, qint64 startNs)
{
    ProcessRecord record;
    record.name = name;
    record.role = role;
    record.pid = pid;
    record.startNs = startNs;
    return record;
}

/// A run of `main`, which begins 10 ms before the gate, and one more process.
struct Sample
{
    std::shared_ptr<RunLog> log = std::make_shared<RunLog>();
    RunResult result;

    explicit Sample(const QString &kind = u"pool"_s, const ProcessRole *role = test::worker())
    {
        log->addProcess(process(u"main"_s, nullptr, 100, -10 * millisecond));
        log->addProcess(process(role->processName(1), role, 4711, -5 * millisecond));
        result.spec = ExperimentSpec(kind);
        result.log = log;
    }

    [[nodiscard]] QByteArray trace() const
    {
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        return writeTraceJson(result, buffer) ? buffer.data() : QByteArray();
    }
    /// The lines of @p phase, without their commas.
    [[nodiscard]] QByteArrayList lines(char phase) const
    {
        QByteArrayList found;
        for (const QByteArray &line : trace().split('\n')) {
            if (line.startsWith("{\"ph\":\"") && line.mid(7, 1).front() == phase)
                found.append(line.endsWith(',') ? line.chopped(1) : line);
        }
        return found;
    }
};

} // namespace

class tst_TraceJson : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void fileIsOneObject();
    void processesHaveNames();
    void pidGivenAgainIsAnotherProcess();
    void spanIsABar_data();
    void spanIsABar();
    void waitsOfAPipeAreNamedAfterIt();
    void itemHasItsName();
    void overlappingBarsAreCut();
    void samplesAreCounters();
    void startAndEndAreMarked();
    void eventsAreInstants();
    void namesAreEscaped();
    void failedDeviceEndsIt();
};

void tst_TraceJson::fileIsOneObject()
{
    Sample sample;
    sample.result.seed = 7;
    sample.result.spec.set(u"title"_s, u"a \"title\""_s);
    sample.result.started = QDateTime::fromString(u"2026-01-31T12:00:00.250Z"_s, Qt::ISODateWithMs);
    const QJsonObject object = QJsonDocument::fromJson(sample.trace()).object();
    QCOMPARE(object[u"displayTimeUnit"_s], QJsonValue(u"ms"_s));
    QCOMPARE(object[u"otherData"_s].toObject(),
             (QJsonObject{{u"title"_s, u"a \"title\""_s},
                          {u"kind"_s, u"pool"_s},
                          {u"seed"_s, 7},
                          {u"started"_s, u"2026-01-31T12:00:00.250Z"_s},
                          {u"gate_us"_s, 10'000}}));
    QVERIFY(!object[u"traceEvents"_s].toArray().isEmpty());
    const test::TraceCheck trace = test::traceOf(sample.result);
    QVERIFY2(trace.faults.isEmpty(), qPrintable(trace.faults.value(0)));
}

void tst_TraceJson::processesHaveNames()
{
    QCOMPARE(
        Sample().lines('M'),
        (QByteArrayList{
            R"({"ph":"M","pid":100,"tid":100,"ts":0.000,"name":"process_name","args":{"name":"main"}})",
            R"({"ph":"M","pid":100,"tid":100,"ts":0.000,"name":"thread_name","args":{"name":"main"}})",
            R"({"ph":"M","pid":100,"tid":100,"ts":0.000,"name":"process_sort_index","args":{"sort_index":0}})",
            R"({"ph":"M","pid":4711,"tid":4711,"ts":0.000,"name":"process_name","args":{"name":"worker-1"}})",
            R"({"ph":"M","pid":4711,"tid":4711,"ts":0.000,"name":"thread_name","args":{"name":"worker-1"}})",
            R"({"ph":"M","pid":4711,"tid":4711,"ts":0.000,"name":"process_sort_index","args":{"sort_index":1}})"}));
}

void tst_TraceJson::pidGivenAgainIsAnotherProcess()
{
    Sample sample;
    sample.log->addProcess(process(u"worker-2"_s, test::worker(), 4711, 0));
    const test::TraceCheck trace = test::traceOf(sample.result);
    QVERIFY2(trace.faults.isEmpty(), qPrintable(trace.faults.value(0)));
    QCOMPARE(trace.processes.size(), 3);
    QCOMPARE(trace.processes.value(4711).name, u"worker-1"_s);
    for (auto told = trace.processes.cbegin(); told != trace.processes.cend(); ++told)
        QCOMPARE(told->name == u"worker-2"_s, told.key() > 4'194'304);
    QVERIFY(sample.lines('i').last().contains("\"args\":{\"pid\":4711}"));
}

void tst_TraceJson::spanIsABar_data()
{
    QTest::addColumn<Span>("span");
    QTest::addColumn<QByteArray>("bar");
    const auto row = [](const char *name, const Span &span, const QByteArray &bar) {
        QTest::newRow(name) << span << bar;
    };
    using Activity = Span::Activity;
    row("on a core", {0, 1'500'001, 3, 1, Activity::Running, 1},
        R"("ts":10000.000,"name":"#3","cat":"running","dur":1500.001,"args":{"index":3,"count":1})");
    row("ready", {1, 2, 3, 1, Activity::ReadyToRun, 1},
        R"("ts":10000.001,"name":"#3","cat":"ready","dur":0.001,"args":{"index":3,"count":1})");
    row("sleeping, of no length", {1'000, 1'000, 0, 1, Activity::Sleeping, 1},
        R"("ts":10001.000,"name":"#0","cat":"sleeping","dur":0.000,"args":{"index":0,"count":1})");
    row("the rest of one", {1'000, 2'000, 4, 0, Activity::Running, 1},
        R"("ts":10001.000,"name":"#4","cat":"running","dur":1.000,"args":{"index":4,"count":0})");
    row("summary", {0, 10'000, 5, 40, Activity::Busy, 0.25F},
        R"("ts":10000.000,"name":"40 tasks","cat":"summary","dur":10.000,"args":{"index":5,"count":40,"busy_percent":25})");
    row("failed", {0, 10'000, 5, 1, Activity::Failed, 1},
        R"("ts":10000.000,"name":"#5","cat":"failed","dur":10.000,"args":{"index":5,"count":1})");
    row("put", {0, 10'000, 5, 1, Activity::BlockedOnFull, 0},
        R"("ts":10000.000,"name":"Blocked, queue full","cat":"wait","dur":10.000,"args":{})");
    row("get", {0, 10'000, 5, 1, Activity::WaitingOnEmpty, 0},
        R"("ts":10000.000,"name":"Waiting, queue empty","cat":"wait","dur":10.000,"args":{})");
    row("lock", {0, 10'000, 5, 1, Activity::WaitingForLock, 0},
        R"("ts":10000.000,"name":"Waiting for the lock","cat":"wait","dur":10.000,"args":{})");
    row("dropped", {0, 10'000, 0, 7, Activity::Dropped, 0},
        R"("ts":10000.000,"name":"Not recorded","cat":"dropped","dur":10.000,"args":{"count":7})");
}

void tst_TraceJson::spanIsABar()
{
    QFETCH(const Span, span);
    QFETCH(const QByteArray, bar);
    Sample sample;
    sample.log->lane(1).spans.append(span);
    QCOMPARE(sample.lines('X'), QByteArrayList{R"({"ph":"X","pid":4711,"tid":4711,)" + bar + '}'});
}

void tst_TraceJson::waitsOfAPipeAreNamedAfterIt()
{
    Sample sample(u"pipe"_s);
    sample.log->lane(0).spans.append({0, 1'000, 0, 1, Span::Activity::WaitingOnEmpty, 0});
    sample.log->lane(1).spans.append({0, 1'000, 0, 1, Span::Activity::BlockedOnFull, 0});
    QCOMPARE(test::traceOf(sample.result).waits,
             (QStringList{u"Waiting, pipe empty"_s, u"Blocked, pipe full"_s}));
}

void tst_TraceJson::itemHasItsName()
{
    Sample sample(u"pipeline"_s, test::producer());
    sample.result.spec.set(u"pipeline.items"_s, QJsonArray{u"apple"_s, u"the \"pear\"\\"_s});
    sample.log->lane(1).spans.append({0, 1'000, 1, 1, Span::Activity::Running, 1});
    const QByteArrayList bars = sample.lines('X');
    QCOMPARE(bars.size(), 1);
    QCOMPARE(QJsonDocument::fromJson(bars.first())[u"name"_s], QJsonValue(u"the \"pear\"\\"_s));
}

void tst_TraceJson::overlappingBarsAreCut()
{
    Sample sample;
    auto &spans = sample.log->lane(1).spans;
    spans.append({1'000, 5'000, 0, 1, Span::Activity::Running, 1});
    spans.append({4'000, 6'000, 1, 1, Span::Activity::Running, 1});
    spans.append({2'000, 3'000, 2, 1, Span::Activity::Running, 1});
    spans.append({7'000, 8'000, 3, 1, Span::Activity::Running, 1});
    const QByteArrayList bars = sample.lines('X');
    QCOMPARE(bars.size(), 4);
    QVERIFY(bars[1].contains("\"ts\":10005.000") && bars[1].contains("\"dur\":1.000"));
    QVERIFY(bars[2].contains("\"ts\":10006.000") && bars[2].contains("\"dur\":0.000"));
    QVERIFY(bars[3].contains("\"ts\":10007.000") && bars[3].contains("\"dur\":1.000"));
    QCOMPARE(test::traceOf(sample.result).faults, QStringList());
}

/// A share of time stands where its time begins, a size where it was read.
void tst_TraceJson::samplesAreCounters()
{
    Sample sample;
    auto &samples = sample.log->lane(1).samples;
    samples.append({50 * millisecond, 80, 12.5, 4096, 1024});
    samples.append({100 * millisecond, 20, 0, 0, 0});
    QCOMPARE(
        sample.lines('C'),
        (QByteArrayList{
            R"-({"ph":"C","pid":4711,"tid":4711,"ts":10000.000,"name":"CPU (%)","args":{"running":80,"ready":12.5}})-",
            R"-({"ph":"C","pid":4711,"tid":4711,"ts":60000.000,"name":"Memory (bytes)","args":{"private":3072,"shared":1024}})-",
            R"-({"ph":"C","pid":4711,"tid":4711,"ts":60000.000,"name":"CPU (%)","args":{"running":20,"ready":0}})-",
            R"-({"ph":"C","pid":4711,"tid":4711,"ts":110000.000,"name":"Memory (bytes)","args":{"private":0,"shared":0}})-",
            R"-({"ph":"C","pid":4711,"tid":4711,"ts":110000.000,"name":"CPU (%)","args":{"running":0,"ready":0}})-"}));
}

void tst_TraceJson::startAndEndAreMarked()
{
    Sample sample;
    sample.log->updateProcess(1, [](ProcessRecord &record) {
        record.endNs = 2 * millisecond;
        record.signal = 11;
        record.done = 5;
    });
    QCOMPARE(
        sample.lines('i'),
        (QByteArrayList{
            R"({"ph":"i","pid":100,"tid":100,"ts":0.000,"name":"main started","cat":"process","s":"p","args":{"pid":100}})",
            R"({"ph":"i","pid":4711,"tid":4711,"ts":5000.000,"name":"worker-1 started","cat":"process","s":"p","args":{"pid":4711}})",
            R"({"ph":"i","pid":4711,"tid":4711,"ts":12000.000,"name":"worker-1 was ended by SIGSEGV","cat":"process","s":"p","args":{"exit_code":0,"signal":11,"done":5}})"}));
}

void tst_TraceJson::eventsAreInstants()
{
    Sample sample;
    sample.log->addEvent(
        {0, RunEvent::Severity::Info, -1, {"gate_open"_ba, {{"processes"_L1, 2}}}});
    sample.log->addEvent({-20 * millisecond,
                          RunEvent::Severity::Failure,
                          1,
                          {"process_exited"_ba, {{"exit_code"_L1, 3}}}});
    QCOMPARE(
        sample.lines('i').mid(2),
        (QByteArrayList{
            R"({"ph":"i","pid":100,"tid":100,"ts":10000.000,"name":"Gate open: 2 processes stand ready","cat":"info","s":"p","args":{"code":"gate_open"}})",
            R"({"ph":"i","pid":4711,"tid":4711,"ts":0.000,"name":"worker-1 ended with exit code 3","cat":"failure","s":"p","args":{"code":"process_exited"}})"}));
}

void tst_TraceJson::namesAreEscaped()
{
    const QString name = u"a \"b\" \\ \n\t\u0001 ü 🍎"_s;
    Sample sample;
    sample.log->updateProcess(1, [&name](ProcessRecord &record) { record.name = name; });
    const test::TraceCheck trace = test::traceOf(sample.result);
    QVERIFY2(trace.faults.isEmpty(), qPrintable(trace.faults.value(0)));
    QCOMPARE(trace.processes.value(4711).name, name);
}

void tst_TraceJson::failedDeviceEndsIt()
{
    Sample sample;
    for (quint32 i = 0; i < 100'000; ++i)
        sample.log->lane(1).spans.append({i, i + 1, i, 1, Span::Activity::Running, 1});
    SmallDevice device(1'000'000);
    QVERIFY(!writeTraceJson(sample.result, device));
    QCOMPARE(device.refusals, 1); // It is not asked again.
    SmallDevice large(100'000'000);
    QVERIFY(writeTraceJson(sample.result, large));
}

QTEST_GUILESS_MAIN(tst_TraceJson)
#include "tst_trace_json.moc"
