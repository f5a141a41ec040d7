// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/run_progress.h"

#include "app/cli/console.h"
#include "app/cli/run_summary.h"

#include <QCoreApplication>

#include <algorithm>
#include <chrono>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab::cli {

namespace {

constexpr auto redrawInterval = 125ms;
constexpr auto lineInterval = 1s;
constexpr int widestBar = 24;
constexpr int narrowestBar = 8;
constexpr int besideBar = 50; // Columns for what the bar's line says.
constexpr int mostInLine = 16;
constexpr int mostReplaced = 4; // Processes that ended badly and stay in sight.

QString stateText(ProcessState state)
{
    switch (state) {
    case ProcessState::Starting:
        return RunProgress::tr("starting");
    case ProcessState::AtGate:
        return RunProgress::tr("at the gate");
    case ProcessState::Running:
        return RunProgress::tr("running");
    case ProcessState::ReadyToRun:
        return RunProgress::tr("ready");
    case ProcessState::Sleeping:
        return RunProgress::tr("sleeping");
    case ProcessState::Waiting:
        return RunProgress::tr("waiting");
    case ProcessState::WaitingForLock:
        return RunProgress::tr("waits for lock");
    case ProcessState::BlockedOnFull:
        return RunProgress::tr("queue full");
    case ProcessState::WaitingOnEmpty:
        return RunProgress::tr("queue empty");
    case ProcessState::Ended:
        return RunProgress::tr("ended");
    case ProcessState::Stopped:
        return RunProgress::tr("stopped");
    case ProcessState::Crashed:
        return RunProgress::tr("crashed");
    }
    return {};
}

QString percentText(double percent)
{
    return percent < 0 ? u"–"_s : QString::number(percent, 'f', 0);
}

/// Empty: a terminal of so many columns has no room for it.
QString bar(quint64 done, quint64 total, int columns)
{
    const int width = std::min(columns - besideBar, widestBar);
    if (width < narrowestBar)
        return {};
    const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
    const int filled = std::clamp(static_cast<int>(share * width), 0, width);
    return u'[' % QString(filled, u'#') % QString(width - filled, u'.') % u"] "_s;
}

quint64 endedCount(const StageSnapshot &snapshot)
{
    return snapshot.done + snapshot.failed + snapshot.cancelled + snapshot.lost;
}

} // namespace

RunProgress::RunProgress(const ExperimentRun &run, Mode mode) : m_run(run), m_mode(mode)
{
    if (mode == Mode::None)
        return;
    connect(&m_timer, &QTimer::timeout, this, &RunProgress::show);
    m_timer.start(mode == Mode::Live ? redrawInterval : std::chrono::milliseconds(lineInterval));
}

RunProgress::~RunProgress()
{
    erase();
}

void RunProgress::show()
{
    const StageSnapshotPointer snapshot = m_run.snapshot();
    if (!snapshot || m_run.elapsedSeconds() <= 0)
        return;
    if (m_mode == Mode::Live)
        draw(*snapshot);
    else
        printProgress(plainLine(*snapshot, rate(*snapshot)).toUtf8() + '\n');
}

double RunProgress::rate(const StageSnapshot &snapshot)
{
    return m_rate.add(snapshot.timeNs, static_cast<double>(endedCount(snapshot)));
}

void RunProgress::draw(const StageSnapshot &snapshot)
{
    const TerminalSize size = terminalSize();
    QStringList lines{headLine(snapshot, rate(snapshot), size.columns)};
    if (size.rows > 3)
        lines += processLines(snapshot, size.rows - 3);
    QByteArray text;
    if (m_drawnLines > 0)
        text += "\x1b[" + QByteArray::number(m_drawnLines) + "A\r";
    // Cut to the width: a wrapped line would count as two.
    for (const QString &line : lines)
        text += line.left(size.columns - 1).toUtf8() + "\x1b[K\n";
    text += "\x1b[J";
    printProgress(text);
    m_drawnLines = static_cast<int>(lines.size());
}

void RunProgress::erase()
{
    if (m_drawnLines > 0)
        printProgress("\x1b[" + QByteArray::number(m_drawnLines) + "A\r\x1b[J");
    m_drawnLines = 0;
}

QString RunProgress::headLine(const StageSnapshot &snapshot, double rate, int columns) const
{
    QString line =
        tr("%1  %2%3 of %4 done  %5 %6")
            .arg(secondsText(m_run.elapsedSeconds()),
                 bar(endedCount(snapshot), snapshot.total, columns), QString::number(snapshot.done),
                 QString::number(snapshot.total), rateText(rate), rateUnit(m_run.spec()));
    if (snapshot.failed + snapshot.lost > 0)
        line += tr("  %1 failed").arg(snapshot.failed + snapshot.lost);
    if (snapshot.queued > 0)
        line += tr("  %1 waiting").arg(snapshot.queued);
    return line;
}

QStringList RunProgress::processLines(const StageSnapshot &snapshot, int most) const
{
    const QList<ProcessRecord> records = m_run.log()->processes();
    QList<ProcessLive> shown;
    int crashed = 0;
    for (const ProcessLive &live : snapshot.processes) {
        const bool isParent = live.process >= records.size() || records[live.process].isParent();
        const bool isWorthIt = !isOver(live.state) ||
                               (live.state == ProcessState::Crashed && ++crashed <= mostReplaced);
        if (!isParent && isWorthIt)
            shown.append(live);
    }
    QStringList lines;
    for (const ProcessLive &live : std::as_const(shown)) {
        if (lines.size() == most) {
            lines.last() = tr("  … and %1 more").arg(shown.size() - most + 1);
            break;
        }
        const ProcessRecord &record = records[live.process];
        const QString item = live.currentIndex >= 0 ? u"#%1"_s.arg(live.currentIndex) : QString();
        lines.append(tr("  %1 %2 CPU %3 %  %4 %5 %6 done")
                         .arg(record.name, -12)
                         .arg(record.pid, 8)
                         .arg(percentText(live.cpuPercent), 4)
                         .arg(stateText(live.state), -14)
                         .arg(item, -10)
                         .arg(live.done, 8));
    }
    return lines;
}

QString RunProgress::plainLine(const StageSnapshot &snapshot, double rate) const
{
    QString line =
        tr("%1: %2 of %3 done, %4 %5")
            .arg(secondsText(m_run.elapsedSeconds()), QString::number(snapshot.done),
                 QString::number(snapshot.total), rateText(rate), rateUnit(m_run.spec()));
    if (snapshot.failed + snapshot.lost > 0)
        line += tr(", %1 failed").arg(snapshot.failed + snapshot.lost);
    const QList<ProcessRecord> records = m_run.log()->processes();
    QStringList cpu;
    for (const ProcessLive &live : snapshot.processes) {
        const bool isShown = !isOver(live.state) && live.process < records.size() &&
                             !records[live.process].isParent() && cpu.size() < mostInLine;
        if (isShown)
            cpu.append(u"%1 %2 %"_s.arg(records[live.process].name, percentText(live.cpuPercent)));
    }
    return cpu.isEmpty() ? line : line % tr(", CPU: ") % cpu.join(u", "_s);
}

} // namespace proclab::cli
