// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/machine_load.h"

#include <QFile>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QByteArray contents(const QByteArray &folder, const char *name)
{
    QFile file(QString::fromLocal8Bit(folder + '/' + name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// The number in a line "MemTotal:   16303412 kB", in bytes.
quint64 memoryLine(const QByteArray &text, const QByteArray &name)
{
    const qsizetype begin = text.indexOf(QByteArray(name + ':'));
    if (begin < 0)
        return 0;
    const qsizetype at = begin + name.size() + 1;
    const qsizetype end = text.indexOf('\n', at);
    QByteArray number = text.mid(at, end < 0 ? -1 : end - at).trimmed();
    if (number.endsWith("kB"))
        number.chop(2);
    return number.trimmed().toULongLong() * 1024;
}

std::optional<double> busyPercent(const CoreTicks &before, const CoreTicks &now)
{
    // Idle and waiting time may go back a tick: counters of the kernel are not exact here.
    const double total = static_cast<double>(now.total) - static_cast<double>(before.total);
    const double busy = static_cast<double>(now.busy) - static_cast<double>(before.busy);
    if (total <= 0)
        return std::nullopt;
    return std::clamp(100 * busy / total, 0.0, 100.0);
}

} // namespace

QList<CoreTicks> parseCoreTicks(const QByteArray &stat)
{
    QList<CoreTicks> cores;
    const QList<QByteArray> lines = stat.split('\n');
    for (const QByteArray &line : lines) {
        const QList<QByteArray> words = line.simplified().split(' ');
        if (words.size() < 5 || !words.front().startsWith("cpu"))
            continue;
        bool isCore = false;
        CoreTicks ticks;
        ticks.core = words.front().mid(3).toInt(&isCore);
        if (!isCore)
            continue;
        // user nice system idle iowait irq softirq steal; guest time is in user already.
        const qsizetype last = std::min<qsizetype>(words.size() - 1, 8);
        for (qsizetype i = 1; i <= last; ++i) {
            const quint64 value = words[i].toULongLong();
            ticks.total += value;
            if (i != 4 && i != 5)
                ticks.busy += value;
        }
        cores << ticks;
    }
    return cores;
}

void parseMemory(const QByteArray &memoryInfo, MachineLoad &load)
{
    load.memoryBytes = memoryLine(memoryInfo, "MemTotal");
    const quint64 available = memoryLine(memoryInfo, "MemAvailable");
    load.memoryUsedBytes = load.memoryBytes - std::min(available, load.memoryBytes);
}

MachineLoad MachineLoadSource::sample()
{
    MachineLoad load;
    const QList<CoreTicks> now = parseCoreTicks(contents(m_folder, "stat"));
    auto last = m_last.cbegin();
    for (const CoreTicks &core : now) {
        // The kernel lists cores by number.
        last = std::find_if(last, m_last.cend(),
                            [&core](const CoreTicks &before) { return before.core >= core.core; });
        const bool isKnown = last != m_last.cend() && last->core == core.core;
        load.cores << CoreLoad{core.core, isKnown ? busyPercent(*last, core) : std::nullopt};
    }
    m_last = now;
    parseMemory(contents(m_folder, "meminfo"), load);
    return load;
}

} // namespace proclab
