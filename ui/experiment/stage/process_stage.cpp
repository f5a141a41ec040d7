// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/process_stage.h"

#include "core/experiment/spec/process_role.h"
#include "ui/experiment/stage/card_facts.h"
#include "ui/experiment/stage/process_actions.h"
#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QStyle>
#include <QToolTip>

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr std::size_t sparklineLength = 64;
constexpr int maxTokens = 24;
constexpr double tokenRateLimit = 30; // A second.
constexpr double dimmed = 0.4;
constexpr qint64 second = 1'000'000'000;

/// The part of a process's history that decides about the layout.
bool sameShape(const QList<ProcessRecord> &a, const QList<ProcessRecord> &b)
{
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(),
                      [](const ProcessRecord &left, const ProcessRecord &right) {
                          return (left.endNs < 0) == (right.endNs < 0);
                      });
}

} // namespace

ProcessStage::ProcessStage(QWidget *parent) : StageView(parent)
{
    enableAccessibleItems();
    setAttribute(Qt::WA_OpaquePaintEvent);
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    m_clock.start();
    m_frame.setInterval(33ms);
    connect(&m_frame, &QTimer::timeout, this, &ProcessStage::updateTokens);
}

void ProcessStage::setSpec(const ExperimentSpec &spec)
{
    if (!isIdle())
        return;
    m_spec = spec;
    m_processes = idleProcesses();
    setAccessibleDescription(idleText());
    layoutChanged();
}

void ProcessStage::setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec)
{
    m_log = std::move(log);
    m_spec = spec;
    m_itemNames = ItemNames(spec);
    m_snapshot.reset();
    m_tokens.clear();
    m_progress.clear();
    m_selected = -1;
    m_processes = m_log ? m_log->processes() : idleProcesses();
    readLog();
    layoutChanged();
}

void ProcessStage::setSnapshot(const StageSnapshotPointer &snapshot)
{
    if (!m_log || !snapshot)
        return;
    StageSnapshotPointer before = std::exchange(m_snapshot, snapshot);
    if (before && before->timeNs > snapshot->timeNs) { // A look back: nothing moves there.
        before.reset();
        m_progress.clear();
    }
    refreshProcesses();
    readLog();
    rememberRate(*snapshot);
    const bool animates =
        style()->styleHint(QStyle::SH_Widget_Animation_Duration, nullptr, this) > 0;
    // What moves between two pictures costs time that processes without a core wait for.
    if (before && isVisible() && animates && !isTooFastForTokens() && !snapshot->waitsForCores())
        findMoves(*before, *snapshot);
    setAccessibleDescription(summaryText());
    updateActions();
    update();
}

void ProcessStage::refreshProcesses()
{
    const QList<ProcessRecord> before =
        std::exchange(m_processes, processesAt(*m_log, *m_snapshot));
    if (!sameShape(before, m_processes))
        layoutChanged();
}

/// What its samples up to now say of its CPU use.
std::vector<float> ProcessStage::lastCpuOf(int process) const
{
    std::vector<float> line;
    if (!m_log || !m_snapshot)
        return line;
    const AppendLog<ProcessSample> &samples = m_log->lane(process).samples;
    const std::size_t end = sampleCountUntil(samples, m_snapshot->timeNs);
    for (std::size_t at = end - std::min(end, sparklineLength); at < end; ++at)
        line.push_back(samples[at].cpuPercent);
    return line;
}

void ProcessStage::rememberRate(const StageSnapshot &snapshot)
{
    m_progress.emplace_back(snapshot.timeNs, snapshot.done);
    while (m_progress.size() > 2 && m_progress.front().first < snapshot.timeNs - second)
        m_progress.pop_front();
}

/// Tasks, items per second over the last second: for the eye, and told nowhere.
double ProcessStage::recentRate() const
{
    if (m_progress.size() < 2)
        return 0;
    const auto &[fromNs, fromDone] = m_progress.front();
    const auto &[toNs, toDone] = m_progress.back();
    if (toNs <= fromNs || toDone < fromDone)
        return 0;
    return static_cast<double>(toDone - fromDone) * 1e9 / static_cast<double>(toNs - fromNs);
}

bool ProcessStage::isTooFastForTokens() const
{
    return recentRate() > tokenRateLimit;
}

void ProcessStage::findMoves(const StageSnapshot &, const StageSnapshot &) {}

void ProcessStage::moveToken(const QPolygonF &path, const QString &text, int colorIndex)
{
    if (path.size() < 2 || m_tokens.size() >= maxTokens)
        return;
    m_tokens.append({path, text, colorIndex, m_clock.elapsed()});
    if (!m_frame.isActive())
        m_frame.start();
}

void ProcessStage::setSelectedProcess(int process)
{
    if (process == m_selected)
        return;
    m_selected = process;
    announceCurrentItem(this, currentItem());
    updateActions();
    update();
}

void ProcessStage::setCanSignal(bool canSignal)
{
    m_canSignal = canSignal;
    updateActions();
}

/// At the card of the selected process, as long as it is there.
void ProcessStage::updateActions()
{
    const int item = currentItem();
    const ProcessLive *now = live(m_selected);
    if (!m_canSignal || item < 0 || m_selected == 0 || !now || isOver(now->state)) {
        if (m_actions && m_actions->isVisibleTo(this)) {
            if (m_actions->isAncestorOf(focusWidget()))
                setFocus();
            m_actions->hide();
        }
        return;
    }
    if (!m_actions) {
        m_actions = new ProcessActions(this);
        connect(m_actions, &ProcessActions::asked, this,
                [this](int signal) { Q_EMIT signalAsked(m_selected, signal); });
    }
    placeActions(m_places[item].rect);
    m_actions->setProcess(m_processes[m_selected].name);
    m_actions->show();
}

/// At the right of the card or, where it has no room there, below or above it.
void ProcessStage::placeActions(const QRectF &card)
{
    constexpr int gap = 4;
    const QSize size = m_actions->sizeHint();
    const QRect place = card.toAlignedRect();
    QPoint corner(place.right() + gap, place.center().y() - size.height() / 2);
    if (corner.x() + size.width() > width()) {
        corner = {place.right() - size.width(), place.bottom() + gap};
        if (corner.y() + size.height() > height())
            corner.setY(place.top() - gap - size.height());
    }
    corner.setX(std::clamp(corner.x(), 0, std::max(0, width() - size.width())));
    corner.setY(std::clamp(corner.y(), 0, std::max(0, height() - size.height())));
    m_actions->setGeometry({corner, size});
}

void ProcessStage::select(int process)
{
    setSelectedProcess(process);
    Q_EMIT processSelected(process);
}

const ProcessLive *ProcessStage::live(int process) const
{
    return m_snapshot && process >= 0 && process < m_snapshot->processes.size()
               ? &m_snapshot->processes[process]
               : nullptr;
}

bool ProcessStage::isEnded() const
{
    return m_log && haveEnded(m_processes);
}

double ProcessStage::opacityOf(int process) const
{
    return m_selected < 0 || process == m_selected ? 1 : dimmed;
}

void ProcessStage::layoutChanged()
{
    rearrange();
    update();
}

void ProcessStage::rearrange()
{
    m_places.clear();
    m_cards.clear();
    m_still = {};
    QRectF area = QRectF(rect()).adjusted(2, 2, -2, -2);
    if (isIdle())
        area.setBottom(area.bottom() - idleLineHeight);
    arrange(area);
    updateActions();
}

CardStyle ProcessStage::addCards(const QRectF &area, const QList<int> &processes)
{
    QList<bool> isDead;
    for (const int process : processes)
        isDead.append(hasCrashed(m_processes[process]));
    // Before a run there is less to say.
    const CardLayout layout =
        arrangeCards(area, isDead, isIdle() ? CardStyle::Compact : CardStyle::Full);
    for (qsizetype i = 0; i < processes.size(); ++i)
        addPlace(processes[i], layout.rects[i], layout.style);
    return layout.style;
}

void ProcessStage::addPlace(int process, const QRectF &rect, CardStyle style)
{
    m_places.append({process, rect, style});
}

ProcessRecord ProcessStage::idleParent()
{
    ProcessRecord parent;
    parent.name = u"main"_s;
    parent.colorIndex = -1;
    return parent;
}

ProcessRecord ProcessStage::idleProcess(const ProcessRole &role, int number, int colorIndex)
{
    ProcessRecord process;
    process.name = role.processName(number);
    process.role = &role;
    process.colorIndex = colorIndex;
    return process;
}

CardContent ProcessStage::squareContentOf(int process) const
{
    CardContent content;
    content.process.name = m_processes[process].name;
    content.process.role = m_processes[process].role;
    content.process.colorIndex = m_processes[process].colorIndex;
    content.isSelected = process == m_selected;
    if (const ProcessLive *now = live(process))
        content.live = ProcessLive{.state = now->state};
    return content;
}

/// The parent lives on, but not for this run.
ProcessState ProcessStage::shownState(int process, const ProcessLive &live) const
{
    return process == 0 && isEnded() ? ProcessState::Ended : live.state;
}

CardContent ProcessStage::contentOf(int process) const
{
    CardContent content;
    content.process = m_processes[process];
    content.isIdle = isIdle();
    content.isSelected = process == m_selected;
    content.form = m_cardForm;
    content.cpu = lastCpuOf(process);
    const ProcessLive *now = live(process);
    if (!now) {
        content.taskText = idleTaskText(content.process);
        return content;
    }
    content.live = *now;
    content.live->state = shownState(process, *now);
    if (hasCrashed(content.process)) {
        content.task = lastTaskText(process);
        return content;
    }
    const bool waits = now->state == ProcessState::BlockedOnFull ||
                       now->state == ProcessState::WaitingOnEmpty ||
                       now->state == ProcessState::WaitingForLock;
    if (now->currentIndex >= 0)
        content.task = m_itemNames.nameOf(static_cast<quint64>(now->currentIndex));
    if (now->currentSinceNs > 0 && (waits || now->currentIndex >= 0)) {
        const qint64 sinceNs = m_snapshot->timeNs - now->currentSinceNs;
        content.taskTime = durationText(static_cast<double>(std::max<qint64>(sinceNs, 0)) / 1e9);
    }
    describe(*now, content);
    if (content.note.isEmpty() && process > 0 && now->readyShare >= notedReadyShare) {
        content.note = tr("ready %1\u00A0%").arg(std::lround(100 * now->readyShare));
        content.noteIsWarning = true;
        content.isNoteFact = true;
    }
    return content;
}

/// The task that a process died in; empty if it was in none.
QString ProcessStage::lastTaskText(int process) const
{
    const AppendLog<Span> &spans = m_log->lane(process).spans;
    const std::size_t size = spans.size();
    if (size == 0 || spans[size - 1].activity != Span::Activity::Failed)
        return {};
    return m_itemNames.nameOf(spans[size - 1].index);
}

QString ProcessStage::itemName(int item) const
{
    const int process = m_places[item].process;
    const ProcessRecord &record = m_processes[process];
    const ProcessLive *now = live(process);
    if (!now)
        return record.name;
    const QString state =
        hasCrashed(record) ? endText(record) : stateWord(shownState(process, *now)).toLower();
    const QString task = contentOf(process).task;
    return task.isEmpty() ? tr("%1, %2").arg(record.name, state)
                          : tr("%1, %2 in %3").arg(record.name, state, task);
}

QString ProcessStage::itemValue(int item) const
{
    const int process = m_places[item].process;
    const ProcessLive *now = live(process);
    if (!now)
        return tr("not started");
    const QString cpu = now->cpuPercent < 0 ? tr("CPU not known yet")
                                            : tr("CPU %1\u00A0%").arg(std::lround(now->cpuPercent));
    const QString value = tr("PID %1, %2, %3 done")
                              .arg(m_processes[process].pid)
                              .arg(cpu, groupedNumber(static_cast<qint64>(now->done)));
    const QString task = contentOf(process).task;
    if (now->progressPercent < 0 || task.isEmpty())
        return value;
    return value % u", "_s % tr("%1\u00A0% of %2").arg(now->progressPercent).arg(task);
}

/// With what its card may have no room for.
QString ProcessStage::tipOf(int item) const
{
    const CardContent content = cardContent(m_places[item]);
    QStringList lines{itemName(item)};
    if (!content.taskText.isEmpty())
        lines << content.taskText;
    if (const QString line = content.count % u"  "_s % content.note; !line.trimmed().isEmpty())
        lines << line.trimmed();
    lines << itemValue(item);
    for (const CardContent::Fact &fact : content.facts)
        lines << fact.label % u' ' % fact.value;
    return lines.join(u'\n');
}

int ProcessStage::currentItem() const
{
    for (qsizetype i = 0; i < m_places.size(); ++i) {
        if (m_places[i].process == m_selected)
            return static_cast<int>(i);
    }
    return -1;
}

int ProcessStage::placeAt(const QPointF &position) const
{
    for (qsizetype i = 0; i < m_places.size(); ++i) {
        if (m_places[i].rect.contains(position))
            return static_cast<int>(i);
    }
    return -1;
}

void ProcessStage::mousePressEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return StageView::mousePressEvent(event);
    const int place = placeAt(event->position());
    select(place >= 0 && !isIdle() ? m_places[place].process : -1);
}

void ProcessStage::keyPressEvent(QKeyEvent *event)
{
    const auto last = static_cast<int>(m_places.size()) - 1;
    const int item = currentItem();
    int next = item;
    switch (event->key()) {
    case Qt::Key_Down:
    case Qt::Key_Right:
        next = std::min(last, item + 1);
        break;
    case Qt::Key_Up:
    case Qt::Key_Left:
        next = item < 0 ? last : std::max(0, item - 1);
        break;
    case Qt::Key_Home:
        next = 0;
        break;
    case Qt::Key_End:
        next = last;
        break;
    case Qt::Key_Escape:
        if (m_selected >= 0)
            return select(-1);
        [[fallthrough]];
    default:
        return StageView::keyPressEvent(event);
    }
    if (last >= 0 && !isIdle())
        select(m_places[next].process);
}

bool ProcessStage::event(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const int place = placeAt(help->pos());
        const QString text = place < 0 ? QString() : tipOf(place);
        QToolTip::showText(help->globalPos() + QPoint(12, 12), text, this);
        return true;
    }
    return StageView::event(event);
}

void ProcessStage::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange)
        layoutChanged();
    StageView::changeEvent(event);
}

void ProcessStage::resizeEvent(QResizeEvent *)
{
    layoutChanged();
}

} // namespace proclab
