// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/trace_json.h"
#include "tests/support/result_files.h"

#include <QHash>
#include <QJsonObject>
#include <QSet>
#include <QStringList>

namespace proclab::test {

/// Reads a trace an event at a time, however many there are, and holds it against the rules of the
/// Trace Event Format.
class TraceCheck
{
public:
    /// What a process did, by its number in the trace.
    struct Process
    {
        QString name;
        qint64 count = 0;  ///< Of its bars, but for those that failed.
        qint64 failed = 0; ///< Bars.
        qint64 done = -1;  ///< As its end says; -1: it has none.
        bool hasStart = false;
        double lastBarEndUs = 0;
    };

    QHash<qint64, Process> processes;
    QSet<QString> categories; ///< Of bars and instants.
    QSet<QString> counters;
    QStringList waits;  ///< Names of bars that are waits, each once.
    QStringList codes;  ///< Of the run's events.
    QStringList faults; ///< Against the rules, the first hundred.
    qint64 events = 0;
    QByteArray head; ///< What is no event.

    /// A line of the file, without its end.
    void take(const QByteArray &line)
    {
        if (!line.startsWith("{\"ph\"")) {
            head += line;
            return;
        }
        ++events;
        QJsonParseError error;
        const QByteArray json = line.endsWith(',') ? line.chopped(1) : line;
        const QJsonObject event = QJsonDocument::fromJson(json, &error).object();
        check(error.error == QJsonParseError::NoError, "no JSON", json);
        check(event[QStringLiteral("name")].isString() && event[QStringLiteral("pid")].isDouble() &&
                  event[QStringLiteral("tid")] == event[QStringLiteral("pid")] &&
                  event[QStringLiteral("args")].isObject() && number(event, "ts") >= 0,
              "a key is missing", json);
        takeEvent(event, json);
    }
    /// After the last line.
    void end()
    {
        QJsonParseError error;
        const QJsonObject object = QJsonDocument::fromJson(head, &error).object();
        check(error.error == QJsonParseError::NoError, "the head is no JSON", head);
        check(object[QStringLiteral("traceEvents")].isArray(), "no traceEvents", head);
        for (auto process = processes.cbegin(); process != processes.cend(); ++process)
            check(!process->name.isEmpty() && process->hasStart, "no metadata, or no start",
                  QByteArray::number(process.key()));
    }

private:
    static double number(const QJsonObject &event, const char *key)
    {
        return event[QLatin1StringView(key)].toDouble(-1);
    }
    static QString text(const QJsonObject &event, const char *key)
    {
        return event[QLatin1StringView(key)].toString();
    }
    void check(bool isRight, const char *fault, const QByteArray &what)
    {
        if (!isRight && faults.size() < 100)
            faults.append(QString::fromLatin1(fault) + QStringLiteral(": ") +
                          QString::fromUtf8(what));
    }
    void takeEvent(const QJsonObject &event, const QByteArray &json)
    {
        const QString phase = text(event, "ph");
        Process &process = processes[static_cast<qint64>(number(event, "pid"))];
        const QJsonObject args = event[QStringLiteral("args")].toObject();
        if (phase == QStringLiteral("M")) {
            if (text(event, "name") == QStringLiteral("process_name"))
                process.name = text(args, "name");
        } else if (phase == QStringLiteral("X")) {
            takeBar(process, event, args, json);
        } else if (phase == QStringLiteral("C")) {
            counters.insert(text(event, "name"));
            check(!args.isEmpty(), "a counter without a value", json);
            for (const QJsonValue &value : args)
                check(value.isDouble(), "a value is no number", json);
        } else {
            check(phase == QStringLiteral("i") && text(event, "s") == QStringLiteral("p"),
                  "an unknown phase or scope", json);
            const QString category = text(event, "cat");
            categories.insert(category);
            if (category != QStringLiteral("process"))
                codes.append(text(args, "code"));
            else if (args.contains(QStringLiteral("done")))
                process.done = static_cast<qint64>(number(args, "done"));
            else
                process.hasStart = true;
        }
    }
    void takeBar(Process &process, const QJsonObject &event, const QJsonObject &args,
                 const QByteArray &json)
    {
        const QString category = text(event, "cat");
        categories.insert(category);
        const double start = number(event, "ts");
        check(number(event, "dur") >= 0, "a negative duration", json);
        // Bars come one after the other; a nanosecond may be lost in their sums.
        check(start >= process.lastBarEndUs - 0.0015, "bars overlap", json);
        process.lastBarEndUs = start + number(event, "dur");
        if (category == QStringLiteral("failed"))
            ++process.failed;
        else if (category == QStringLiteral("wait") && !waits.contains(text(event, "name")))
            waits.append(text(event, "name"));
        else if (category != QStringLiteral("wait") && category != QStringLiteral("dropped"))
            process.count += static_cast<qint64>(number(args, "count"));
    }
};

/// Reads what `--trace` writes of @p result.
inline TraceCheck traceOf(const RunResult &result)
{
    TraceCheck trace;
    LineDevice device([&trace](const QByteArray &line) { trace.take(line); });
    if (!writeTraceJson(result, device))
        trace.faults.append(QStringLiteral("not written"));
    trace.end();
    return trace;
}

} // namespace proclab::test
