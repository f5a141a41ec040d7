// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/trace_json.h"

#include "core/experiment/run/run_means.h"
#include "core/experiment/run/run_result.h"
#include "core/experiment/run/stream_writer.h"
#include "core/experiment/spec/item_names.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>
#include <QLocale>
#include <QSet>

#include <algorithm>
#include <utility>
#include <vector>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class TraceText
{
    Q_DECLARE_TR_FUNCTIONS(Trace)
};

/// No PID of Linux is as large.
constexpr qint64 beyondPids = qint64{1} << 22;

QByteArray categoryOf(Span::Activity activity)
{
    switch (activity) {
    case Span::Activity::Running:
        return "running"_ba;
    case Span::Activity::ReadyToRun:
        return "ready"_ba;
    case Span::Activity::Sleeping:
        return "sleeping"_ba;
    case Span::Activity::BlockedOnFull:
    case Span::Activity::WaitingOnEmpty:
    case Span::Activity::WaitingForLock:
        return "wait"_ba;
    case Span::Activity::Busy:
        return "summary"_ba;
    case Span::Activity::Failed:
        return "failed"_ba;
    case Span::Activity::Dropped:
        return "dropped"_ba;
    }
    return {};
}

QByteArray categoryOf(RunEvent::Severity severity)
{
    switch (severity) {
    case RunEvent::Severity::Info:
        return "info"_ba;
    case RunEvent::Severity::Warning:
        return "warning"_ba;
    case RunEvent::Severity::Failure:
        return "failure"_ba;
    }
    return {};
}

QString endText(const ProcessRecord &process)
{
    if (process.signal != 0)
        return TraceText::tr("%1 was ended by %2").arg(process.name, signalName(process.signal));
    if (process.exitCode != 0)
        return TraceText::tr("%1 ended with exit code %2")
            .arg(process.name, QString::number(process.exitCode));
    return TraceText::tr("%1 ended").arg(process.name);
}

QByteArray number(double value)
{
    return QByteArray::number(value, 'g', QLocale::FloatingPointShortest);
}

/// Writes the events of one run.
class TraceWriter
{
public:
    TraceWriter(const RunResult &result, QIODevice &device);
    bool write();

private:
    void writeHead();
    void writeNames();
    void writeLife(int process);
    void writeSpans(int process);
    void writeSpan(int process, const Span &span, qint64 startNs);
    void writeSamples(int process);
    void writeCpu(int process, qint64 timeNs, double cpu, double ready);
    void writeGauges();
    void writeRate(const GaugeChart &chart, qsizetype series, const QByteArray &name);
    void writeGauge(int gauge, qint64 timeNs, const QByteArray &name, double value);
    void writeEvents();

    void begin(char phase, int process, qint64 timeNs, const QByteArray &name,
               const QByteArray &category);
    void end(const QByteArray &args);
    [[nodiscard]] static QByteArray microseconds(qint64 ns);
    [[nodiscard]] QString spanText(const Span &span) const;

    const RunResult &m_result;
    const RunLog &m_log;
    const Kind *m_kind;
    const ItemNames m_itemNames;
    const QList<ProcessRecord> m_processes;
    StreamWriter m_writer;
    qint64 m_beginNs = 0;           ///< Where the trace's own time begins.
    std::vector<QByteArray> m_keys; ///< Of each process: `"pid":…,"tid":…`.
    const char *m_separator = "\n";
};

TraceWriter::TraceWriter(const RunResult &result, QIODevice &device)
    : m_result(result)
    , m_log(*result.log)
    , m_kind(result.spec.kindInfo())
    , m_itemNames(result.spec)
    , m_processes(m_log.processes())
    , m_writer(device)
{
    if (!m_processes.isEmpty())
        m_beginNs = m_processes.first().startNs; // The parent is there before all others.
    QSet<qint64> pids;
    for (const ProcessRecord &process : m_processes) {
        qint64 number = process.pid;
        if (pids.contains(number))
            number = beyondPids + static_cast<qint64>(m_keys.size());
        pids.insert(number);
        const QByteArray digits = QByteArray::number(number);
        m_keys.push_back("\"pid\":" + digits + ",\"tid\":" + digits);
    }
}

bool TraceWriter::write()
{
    writeHead();
    writeNames();
    for (int process = 0; process < m_processes.size() && m_writer.isGood(); ++process) {
        writeLife(process);
        writeSpans(process);
        writeSamples(process);
    }
    if (!m_processes.isEmpty()) { // Of which the first one has them.
        writeGauges();
        writeEvents();
    }
    m_writer.add("\n]}\n");
    return m_writer.flush();
}

void TraceWriter::writeHead()
{
    const QJsonObject about{{u"title"_s, m_result.spec.value(u"title"_s)},
                            {u"kind"_s, m_result.spec.kind()},
                            {u"seed"_s, static_cast<qint64>(m_result.seed)},
                            {u"started"_s, m_result.started.toUTC().toString(Qt::ISODateWithMs)}};
    QByteArray data = jsonText(about);
    data.chop(1);
    // Where it did not open, times are those of the system's clock.
    const QByteArray gate = m_beginNs < 0 ? microseconds(-m_beginNs) : "null"_ba;
    m_writer.add(QByteArray("{\"displayTimeUnit\":\"ms\",\n\"otherData\":" + data +
                            ",\"gate_us\":" + gate + "},\n\"traceEvents\":["));
}

void TraceWriter::writeNames()
{
    for (int process = 0; process < m_processes.size(); ++process) {
        const QByteArray name = "\"name\":" + jsonText(m_processes[process].name);
        for (const auto &key : {"process_name"_ba, "thread_name"_ba}) {
            begin('M', process, m_beginNs, '"' + key + '"', {});
            end(name);
        }
        begin('M', process, m_beginNs, "\"process_sort_index\""_ba, {});
        end("\"sort_index\":" + QByteArray::number(process));
    }
}

/// The start and the end of a process.
void TraceWriter::writeLife(int process)
{
    const ProcessRecord &record = m_processes[process];
    begin('i', process, record.startNs, jsonText(TraceText::tr("%1 started").arg(record.name)),
          "process"_ba);
    end("\"pid\":" + QByteArray::number(record.pid));
    if (record.endNs < 0)
        return;
    begin('i', process, record.endNs, jsonText(endText(record)), "process"_ba);
    end("\"exit_code\":" + QByteArray::number(record.exitCode) + ",\"signal\":" +
        QByteArray::number(record.signal) + ",\"done\":" + QByteArray::number(record.done));
}

void TraceWriter::writeSpans(int process)
{
    const AppendLog<Span> &spans = m_log.lane(process).spans;
    qint64 lastEndNs = m_beginNs;
    for (std::size_t i = 0; i < spans.size() && m_writer.isGood(); ++i) {
        const Span &span = spans[i];
        // A viewer draws no bars of one thread that overlap.
        const qint64 startNs = std::max(span.startNs, lastEndNs);
        lastEndNs = std::max(span.endNs, startNs);
        writeSpan(process, span, startNs);
    }
}

void TraceWriter::writeSpan(int process, const Span &span, qint64 startNs)
{
    begin('X', process, startNs, jsonText(spanText(span)), categoryOf(span.activity));
    m_writer.add(",\"dur\":");
    m_writer.add(microseconds(span.endNs - startNs));
    const QByteArray count = "\"count\":" + QByteArray::number(span.count);
    const QByteArray which = "\"index\":" + QByteArray::number(span.index) + ',' + count;
    switch (span.activity) {
    case Span::Activity::BlockedOnFull:
    case Span::Activity::WaitingOnEmpty:
    case Span::Activity::WaitingForLock:
        end({});
        break;
    case Span::Activity::Busy:
        end(which + ",\"busy_percent\":" + QByteArray::number(qRound(span.busy * 100)));
        break;
    case Span::Activity::Dropped:
        end(count);
        break;
    default:
        end(which);
    }
}

void TraceWriter::writeSamples(int process)
{
    const AppendLog<ProcessSample> &samples = m_log.lane(process).samples;
    // A sample tells the mean since the one before, a counter what holds from its time on.
    qint64 sinceNs = std::max<qint64>(0, m_processes[process].startNs);
    for (std::size_t i = 0; i < samples.size() && m_writer.isGood(); ++i) {
        const ProcessSample &sample = samples[i];
        writeCpu(process, sinceNs, static_cast<double>(sample.cpuPercent),
                 static_cast<double>(sample.readyPercent));
        sinceNs = sample.timeNs;
        begin('C', process, sample.timeNs, jsonText(TraceText::tr("Memory (bytes)")), {});
        end("\"private\":" + QByteArray::number(sample.privateBytes()) +
            ",\"shared\":" + QByteArray::number(sample.residentBytes - sample.privateBytes()));
    }
    if (!samples.isEmpty())
        writeCpu(process, sinceNs, 0, 0);
}

void TraceWriter::writeCpu(int process, qint64 timeNs, double cpu, double ready)
{
    begin('C', process, timeNs, jsonText(TraceText::tr("CPU (%)")), {});
    end("\"running\":" + number(cpu) + ",\"ready\":" + number(ready));
}

void TraceWriter::writeGauges()
{
    for (const GaugeChart &chart : m_kind ? m_kind->charts : QList<GaugeChart>()) {
        if (!chart.flagField.isEmpty() && !m_result.spec.flag(chart.flagField))
            continue;
        for (qsizetype i = 0; i < chart.series.size(); ++i) {
            const GaugeChart::Series &series = chart.series[i];
            const QString title =
                series.name.isEmpty() ? chart.title : QString(chart.title % u' ' % series.name);
            const QByteArray name = jsonText(QString(title % u" (" % chart.unit % u')'));
            if (chart.rate) {
                writeRate(chart, i, name);
                continue;
            }
            for (std::size_t at = 0; at < m_log.gauges.size() && m_writer.isGood(); ++at) {
                const GaugeSample &sample = m_log.gauges[at];
                writeGauge(series.gauge, sample.timeNs, name,
                           sample.values[static_cast<std::size_t>(series.gauge)]);
            }
        }
    }
}

void TraceWriter::writeRate(const GaugeChart &chart, qsizetype series, const QByteArray &name)
{
    const int gauge = chart.series[series].gauge;
    const std::vector<RatePoint> rates = ratesUntil(m_log, chart, series, workEndNs(m_log));
    for (std::size_t at = 1; at < rates.size(); ++at)
        writeGauge(gauge, rates[at - 1].timeNs, name, rates[at].value);
    if (!rates.empty())
        writeGauge(gauge, rates.back().timeNs, name, 0);
}

void TraceWriter::writeGauge(int gauge, qint64 timeNs, const QByteArray &name, double value)
{
    begin('C', 0, timeNs, name, {});
    end('"' + m_kind->gauges[gauge].toUtf8() + "\":" + number(value));
}

void TraceWriter::writeEvents()
{
    const AppendLog<RunEvent> &events = m_log.events();
    for (std::size_t i = 0; i < events.size() && m_writer.isGood(); ++i) {
        const RunEvent &event = events[i];
        begin('i', std::max(event.process, 0), event.timeNs, jsonText(eventText(m_log, event)),
              categoryOf(event.severity));
        end("\"code\":" + jsonText(QString::fromUtf8(event.note.code)));
    }
}

/// Up to what is special about the phase. @p name is JSON.
void TraceWriter::begin(char phase, int process, qint64 timeNs, const QByteArray &name,
                        const QByteArray &category)
{
    m_writer.add(QByteArray(std::exchange(m_separator, ",\n") + "{\"ph\":\""_ba + phase + "\"," +
                            m_keys[static_cast<std::size_t>(process)] +
                            ",\"ts\":" + microseconds(timeNs - m_beginNs) + ",\"name\":" + name));
    if (!category.isEmpty())
        m_writer.add(QByteArray(",\"cat\":\"" + category + '"'));
    if (phase == 'i')
        m_writer.add(",\"s\":\"p\"");
}

void TraceWriter::end(const QByteArray &args)
{
    m_writer.add(QByteArray(",\"args\":{" + args + "}}"));
}

/// 1.500; no less than 0.
QByteArray TraceWriter::microseconds(qint64 ns)
{
    const qint64 length = std::max<qint64>(0, ns);
    return QByteArray::number(length / 1000) + '.' +
           QByteArray::number(length % 1000).rightJustified(3, '0');
}

QString TraceWriter::spanText(const Span &span) const
{
    const bool isPipe = m_kind && m_kind->waits.contains(WaitCause::FullPipe);
    switch (span.activity) {
    case Span::Activity::BlockedOnFull:
        return isPipe ? TraceText::tr("Blocked, pipe full") : TraceText::tr("Blocked, queue full");
    case Span::Activity::WaitingOnEmpty:
        return isPipe ? TraceText::tr("Waiting, pipe empty")
                      : TraceText::tr("Waiting, queue empty");
    case Span::Activity::WaitingForLock:
        return TraceText::tr("Waiting for the lock");
    case Span::Activity::Dropped:
        return TraceText::tr("Not recorded");
    default:
        return span.count > 1 && m_kind
                   ? QString(QString::number(span.count) % u' ' % m_kind->items)
                   : m_itemNames.nameOf(span.index);
    }
}

} // namespace

bool writeTraceJson(const RunResult &result, QIODevice &device)
{
    return TraceWriter(result, device).write();
}

} // namespace proclab
