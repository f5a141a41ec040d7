// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/program/program_stage.h"

#include "core/base/number_text.h"
#include "core/experiment/kinds/program/program_kind.h"
#include "core/experiment/spec/kind.h"
#include "ui/program/shell_reading.h"
#include "ui/program/terminal_pane.h"
#include "ui/shared/theme.h"

#include <QHelpEvent>
#include <QJsonArray>
#include <QToolTip>

#include <algorithm>
#include <utility>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// A tip of one word a line, as far as a screen has room for them.
QString linesOf(const QStringList &words)
{
    constexpr qsizetype mostLines = 20;
    constexpr qsizetype longestLine = 500;
    QStringList lines;
    for (const QString &word : words.first(std::min(words.size(), mostLines)))
        lines << word.left(longestLine);
    if (words.size() > mostLines)
        lines << ProgramStage::tr("… and %1 more").arg(words.size() - mostLines);
    return lines.join(u'\n');
}

} // namespace

ProgramStage::ProgramStage(QWidget *parent)
    : ProcessStage(parent)
    , m_terminal(new TerminalPane(this))
{
    setAccessibleName(tr("Program stage"));
    setProperty("holdsTabStops", true); // The terminal, behind the cards.
    connect(m_terminal, &TerminalPane::typed, this,
            [this](const QString &text) { Q_EMIT typed(1, text); });
    connect(m_terminal, &TerminalPane::inputEnded, this, [this] { Q_EMIT inputEnded(1); });
}

void ProgramStage::setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec)
{
    m_terminal->setLog(log);
    ProcessStage::setRun(std::move(log), spec);
    updateTerminal();
}

void ProgramStage::setSnapshot(const StageSnapshotPointer &snapshot)
{
    ProcessStage::setSnapshot(snapshot);
    updateTerminal();
}

void ProgramStage::setSelectedProcess(int process)
{
    ProcessStage::setSelectedProcess(process);
    updateTerminal();
}

void ProgramStage::setCanSignal(bool canSignal)
{
    m_isPresent = canSignal;
    ProcessStage::setCanSignal(canSignal);
    updateTerminal();
}

void ProgramStage::updateTerminal()
{
    const std::vector<ProgramState::Instance> &all = state().instances;
    m_terminal->setCanType(m_isPresent && all.size() == 1 && all.front().takesInput != 0);
    if (snapshot())
        m_terminal->showUntil(snapshot()->timeNs, selectedProcess() > 0 ? selectedProcess() : -1);
}

const ProgramState &ProgramStage::state() const
{
    static const ProgramState none;
    return snapshot() ? snapshot()->state<ProgramState>() : none;
}

QStringList ProgramStage::command() const
{
    QStringList words;
    for (const QJsonValue &word : spec().value(u"program.command"_s).toArray())
        words << word.toString();
    return words;
}

/// Boxes that were cut or had no room are told in full.
bool ProgramStage::event(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const QPointF at = help->pos();
        const bool isShell = m_layout.shell.contains(at);
        if (isShell || m_layout.arguments.contains(at)) {
            QStringList words = command();
            if (isShell) {
                const QList<ShellWord> read = shellReading(std::exchange(words, {}));
                for (const ShellWord &word : read)
                    words << word.text;
            }
            QToolTip::showText(help->globalPos() + QPoint(12, 12), linesOf(words), this);
            return true;
        }
    }
    return ProcessStage::event(event);
}

QList<ProcessRecord> ProgramStage::idleProcesses() const
{
    const ProcessRole &role = findKind(u"program"_s)->roles[ProgramRoles::Program];
    QList<ProcessRecord> all{idleParent()};
    const int count = std::clamp(spec().integer(u"program.instances"_s), 1, 128);
    for (int number = 1; number <= count; ++number)
        all.append(idleProcess(role, number, number - 1));
    return all;
}

QString ProgramStage::idleText() const
{
    const qint64 count = spec().bigInteger(u"program.instances"_s);
    const double limit = spec().number(u"program.timeout_s"_s);
    const QString start = count == 1 ? tr("The program will run without a shell")
                                     : tr("%1 of it will run, without a shell").arg(count);
    return limit > 0 ? tr("%1, for %2 at most").arg(start, durationText(limit)) : start;
}

QString ProgramStage::idleTaskText(const ProcessRecord &process) const
{
    if (process.isParent())
        return tr("starts and reads");
    return command().value(0).section(u'/', -1);
}

void ProgramStage::arrange(const QRectF &area)
{
    m_layout = arrangeProgram(area, programCount());
    QList<int> all;
    for (int process = 0; process <= programCount(); ++process)
        all << process;
    addCards(m_layout.cards, all);
    m_terminal->setGeometry(m_layout.terminal.toAlignedRect());
}

QString ProgramStage::endOf(const ProcessRecord &process) const
{
    const auto number = static_cast<std::size_t>(process.colorIndex);
    if (number < state().instances.size() && state().instances[number].timedOut != 0)
        return tr("timed out");
    return process.signal != 0 ? signalName(process.signal)
                               : tr("exit code %1").arg(process.exitCode);
}

int ProgramStage::endedCount() const
{
    return static_cast<int>(
        std::count_if(processes().begin() + 1, processes().end(),
                      [](const ProcessRecord &program) { return program.endNs >= 0; }));
}

void ProgramStage::describe(const ProcessLive &live, CardContent &content) const
{
    content.task.clear();
    if (content.process.isParent()) {
        content.taskTime.clear();
        content.taskText = isEnded() ? tr("through") : tr("reads and waits");
        content.count = tr("%1 of %2 ended").arg(endedCount()).arg(programCount());
        return;
    }
    content.taskText =
        content.process.endNs >= 0 ? endOf(content.process) : idleTaskText(content.process);
    const auto number = static_cast<std::size_t>(live.process - 1);
    if (number >= state().instances.size())
        return;
    const ProgramState::Instance &one = state().instances[number];
    content.count = tr("%1 out").arg(bytesText(static_cast<quint64>(one.outputBytes)));
    if (one.errorBytes > 0)
        content.note = tr("%1 err").arg(bytesText(static_cast<quint64>(one.errorBytes)));
    content.noteIsWarning = one.errorBytes > 0;
}

QString ProgramStage::summaryText() const
{
    if (!snapshot())
        return idleText();
    const QString ended = tr("%1 of %2 programs have ended").arg(endedCount()).arg(programCount());
    const auto below = state().descendants.size();
    return below == 0 ? ended : tr("%1, %2 processes below them").arg(ended).arg(below);
}

} // namespace proclab
