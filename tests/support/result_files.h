// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_result.h"

#include <QByteArray>
#include <QIODevice>
#include <QJsonDocument>
#include <QJsonObject>
#include <QList>

#include <functional>
#include <utility>

namespace proclab::test {

/// Hands each line that is written to it to a function, and keeps none.
class LineDevice final : public QIODevice
{
public:
    explicit LineDevice(std::function<void(const QByteArray &)> take) : m_take(std::move(take))
    {
        open(QIODevice::WriteOnly | QIODevice::Unbuffered);
    }

protected:
    qint64 readData(char *, qint64) override { return -1; }
    qint64 writeData(const char *data, qint64 size) override
    {
        m_open.append(data, size);
        qsizetype from = 0;
        for (qsizetype end = m_open.indexOf('\n'); end >= 0; end = m_open.indexOf('\n', from)) {
            m_take(m_open.mid(from, end - from));
            from = end + 1;
        }
        m_open.remove(0, from);
        return size;
    }

private:
    std::function<void(const QByteArray &)> m_take;
    QByteArray m_open; ///< A line whose end is still to come.
};

/// The fields of one line (RFC 4180).
inline QByteArrayList csvFields(const QByteArray &line)
{
    if (!line.contains('"'))
        return line.split(',');
    QByteArrayList fields{QByteArray()};
    bool isQuoted = false;
    for (qsizetype i = 0; i < line.size(); ++i) {
        const bool isPair = line[i] == '"' && isQuoted && line.mid(i + 1, 1) == "\"";
        if (isPair)
            fields.last() += line[i++];
        else if (line[i] == '"')
            isQuoted = !isQuoted;
        else if (line[i] == ',' && !isQuoted)
            fields.append(QByteArray());
        else
            fields.last() += line[i];
    }
    return fields;
}

/// Calls @p take(fields) for each line of what `--csv` writes of @p result, its head first. No
/// field may have a line break.
inline bool forEachCsvLine(const RunResult &result,
                           const std::function<void(const QByteArrayList &)> &take)
{
    LineDevice device([&take](const QByteArray &line) { take(csvFields(line)); });
    return writeResultCsv(result, device);
}

/// What `--json` writes of a result, however many tasks it has.
struct JsonOfRun
{
    QJsonObject head; ///< All but the results.
    qsizetype resultCount = 0;
    QList<QJsonObject> results; ///< Each step-th.
};

inline JsonOfRun jsonOf(const RunResult &result, qsizetype step = 1)
{
    JsonOfRun json;
    QByteArray head;
    LineDevice device([&](const QByteArray &line) {
        if (!line.startsWith("    {\"index\":")) {
            head += line + '\n';
            return;
        }
        if (json.resultCount++ % step == 0)
            json.results.append(
                QJsonDocument::fromJson(line.endsWith(',') ? line.chopped(1) : line).object());
    });
    if (writeResultJson(result, device))
        json.head = QJsonDocument::fromJson(head).object();
    return json;
}

} // namespace proclab::test
