// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pipeline/pipeline_stage.h"

#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/spec/kind.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double nearlyFull = 0.9;
constexpr double linkCorner = 12;

const ProcessRole &roleOf(PipelineRoles::Role role)
{
    return findKind(u"pipeline"_s)->roles[role];
}

bool isProducer(const ProcessRecord &process)
{
    return process.role == &roleOf(PipelineRoles::Producer);
}

bool isConsumer(const ProcessRecord &process)
{
    return process.role == &roleOf(PipelineRoles::Consumer);
}

QString number(quint64 count)
{
    return groupedNumber(static_cast<qint64>(count));
}

} // namespace

PipelineStage::PipelineStage(QWidget *parent) : ProcessStage(parent)
{
    setAccessibleName(tr("Pipeline stage"));
    setCardForm({.waits = {ProcessState::BlockedOnFull, ProcessState::WaitingOnEmpty}});
}

QList<ProcessRecord> PipelineStage::idleProcesses() const
{
    QList<ProcessRecord> processes{idleParent()};
    const int producers = std::clamp(spec().integer(u"pipeline.producers"_s), 0, 256);
    const int consumers = std::clamp(spec().integer(u"pipeline.consumers"_s), 0, 256);
    for (int i = 1; i <= producers; ++i)
        processes.append(idleProcess(roleOf(PipelineRoles::Producer), i, i - 1));
    for (int i = 1; i <= consumers; ++i)
        processes.append(idleProcess(roleOf(PipelineRoles::Consumer), i, producers + i - 1));
    return processes;
}

QString PipelineStage::idleText() const
{
    const int producers = spec().integer(u"pipeline.producers"_s);
    const int consumers = spec().integer(u"pipeline.consumers"_s);
    const QString from = producers == 1 ? tr("1 producer") : tr("%1 producers").arg(producers);
    const QString to = consumers == 1 ? tr("1 consumer") : tr("%1 consumers").arg(consumers);
    return capacity() > 0
               ? tr("%1 will send items through a queue of %2 to %3")
                     .arg(from, number(capacity()), to)
               : tr("%1 will send items through a queue without a limit to %2").arg(from, to);
}

QString PipelineStage::idleTaskText(const ProcessRecord &process) const
{
    if (isProducer(process)) {
        const QJsonValue items = spec().value(u"pipeline.items_per_producer"_s);
        return !items.isDouble()        ? tr("puts items")
               : items.toInteger() == 1 ? tr("puts 1 item")
                                        : tr("puts %1 items").arg(groupedNumber(items.toInteger()));
    }
    return isConsumer(process) ? tr("takes items until END") : tr("starts and joins");
}

quint64 PipelineStage::capacity() const
{
    if (snapshot())
        return snapshot()->state<PipelineState>().capacity;
    return static_cast<quint64>(std::max<qint64>(0, spec().bigInteger(u"pipeline.capacity"_s)));
}

quint64 PipelineStage::depth() const
{
    return snapshot() ? snapshot()->queued : 0;
}

bool PipelineStage::isNearlyFull() const
{
    return capacity() > 0 &&
           static_cast<double>(depth()) >= nearlyFull * static_cast<double>(capacity());
}

void PipelineStage::arrange(const QRectF &area)
{
    m_layout = arrangePipeline(area);
    m_scale = scaleTank(m_layout.tank.height(), capacity());
    if (m_scale.isExact) {
        // The tank is as high as its slots.
        const double height = m_scale.slotHeight * static_cast<double>(capacity());
        const double spare = m_layout.tank.height() - height;
        m_layout.tank.adjust(0, std::floor(spare / 2), 0, -std::ceil(spare / 2));
    }
    m_producersHaveCards =
        addCards(m_layout.producers,
                 shownProcesses(processes(), roleOf(PipelineRoles::Producer))) != CardStyle::Square;
    addPlace(0, m_layout.parent, CardStyle::Compact);
    m_consumersHaveCards =
        addCards(m_layout.consumers,
                 shownProcesses(processes(), roleOf(PipelineRoles::Consumer))) != CardStyle::Square;
}

QPolygonF PipelineStage::putPath(const QRectF &producer) const
{
    const QRectF &tank = m_layout.tank;
    const double trunk = (m_layout.producers.right() + tank.left() - 34) / 2 + 2;
    const double y = producer.center().y();
    const double top = tank.top() - 16;
    const double in = tank.center().x() - tank.width() / 5;
    return {{producer.right(), y}, {trunk, y}, {trunk, top}, {in, top}, {in, tank.top() + 2}};
}

QPolygonF PipelineStage::takePath(const QRectF &consumer) const
{
    const QRectF &tank = m_layout.tank;
    const double trunk = (tank.right() + m_layout.consumers.left()) / 2;
    const double y = consumer.center().y();
    const double bottom = tank.bottom() + 11;
    const double out = tank.center().x() + tank.width() / 5;
    return {{out, tank.bottom() + 2},
            {out, bottom},
            {trunk, bottom},
            {trunk, y},
            {consumer.left() - 1, y}};
}

/// From the parent to the nearest card of a column: it starts and joins all of it.
QPolygonF PipelineStage::parentPath(const QRectF &column) const
{
    const QRectF &parent = m_layout.parent;
    const bool isLeft = column.center().x() < parent.center().x();
    double bottom = column.top();
    for (const Place &place : places()) {
        if (place.process != 0 && column.contains(place.rect.center()))
            bottom = std::max(bottom, place.rect.bottom());
    }
    const double y = parent.center().y();
    const double from = isLeft ? parent.left() : parent.right();
    if (y < bottom + linkCorner)
        return {{from, y}, {isLeft ? column.right() : column.left(), y}};
    const double x = column.center().x();
    return {{from, y}, {x, y}, {x, bottom}};
}

void PipelineStage::paintStill(QPainter &painter)
{
    const QColor color = Theme::current().borderStrong;
    for (const QRectF &column : {m_layout.producers, m_layout.consumers})
        drawLink(painter, parentPath(column), color, Link::Results);
    if (!m_producersHaveCards)
        drawLink(painter, putPath(m_layout.producers), color, Link::Tasks);
    if (!m_consumersHaveCards)
        drawLink(painter, takePath(m_layout.consumers), color, Link::Tasks);
    for (const Place &place : places()) {
        const ProcessRecord &process = processes()[place.process];
        if (isProducer(process) && m_producersHaveCards)
            drawLink(painter, putPath(place.rect), color, Link::Tasks);
        if (isConsumer(process) && m_consumersHaveCards)
            drawLink(painter, takePath(place.rect), color, Link::Tasks);
    }
}

void PipelineStage::paintMoving(QPainter &painter)
{
    paintTank(painter);
    paintHead(painter);
    paintLevel(painter);
    if (!m_scale.isExact)
        paintFill(painter);
    paintItems(painter);
    paintWaits(painter);
}

/// Two walls and a floor, open at the top where items come in.
void PipelineStage::paintTank(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF tank = m_layout.tank.adjusted(-4, 0, 4, 3);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(tank, theme.sunken);
    painter.setPen(QPen(isNearlyFull() ? theme.full : theme.axis, 1.5));
    painter.setBrush(Qt::NoBrush);
    const bool bounded = capacity() > 0;
    const double top = bounded ? tank.top() - 4 : tank.top() + 12;
    painter.drawPolyline(QPolygonF(
        {{tank.left(), top}, tank.bottomLeft(), tank.bottomRight(), {tank.right(), top}}));
    if (bounded || m_layout.tank.height() < 40)
        return;
    QPen open(theme.axis, 1);
    open.setDashPattern({3, 3});
    painter.setPen(open);
    painter.drawLine(QPointF(tank.left(), top), tank.topLeft());
    painter.drawLine(QPointF(tank.right(), top), tank.topRight());
}

void PipelineStage::paintHead(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &tank = m_layout.tank;
    const QRectF head(tank.left() - 4, tank.top() - m_layout.headHeight + 2, tank.width() + 8, 16);
    const double used = drawText(painter, head, Qt::AlignVCenter, tr("Queue"),
                                 textFont(TextSize::Small, QFont::DemiBold), theme.text);
    const QString text = capacity() > 0 ? tr("%1 of %2").arg(number(depth()), number(capacity()))
                                        : tr("%1, no limit").arg(number(depth()));
    drawText(painter, head.adjusted(used + 6, 0, 0, 0), Qt::AlignVCenter | Qt::AlignRight, text,
             textFont(TextSize::Small), isNearlyFull() ? theme.full : theme.text2);
}

void PipelineStage::paintLevel(QPainter &painter)
{
    if (capacity() == 0)
        return;
    const Theme &theme = Theme::current();
    const QRectF &tank = m_layout.tank;
    const auto whole = static_cast<double>(capacity());
    const auto yOf = [&](double items) { return tank.bottom() - tank.height() * items / whole; };
    const QFont font = textFont(TextSize::Tick);
    painter.setRenderHint(QPainter::Antialiasing, false);
    const double level = yOf(std::min(static_cast<double>(depth()), whole));
    for (const double mark : {0.0, whole}) {
        painter.fillRect(QRectF(tank.left() - 9, yOf(mark), 5, 1), theme.axis);
        if (std::abs(yOf(mark) - level) > 12)
            drawText(painter, QRectF(tank.left() - 48, yOf(mark) - 8, 36, 16),
                     Qt::AlignVCenter | Qt::AlignRight, shortNumber(mark), font, theme.text3);
    }
    if (isIdle())
        return;
    const QColor color = isNearlyFull() ? theme.full : theme.text2;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawPolygon(QPolygonF(
        {{tank.left() - 12, level - 4}, {tank.left() - 6, level}, {tank.left() - 12, level + 4}}));
    drawText(painter, QRectF(tank.left() - 50, level - 8, 36, 16),
             Qt::AlignVCenter | Qt::AlignRight, shortNumber(static_cast<double>(depth())),
             textFont(TextSize::Caption, QFont::DemiBold), color);
}

/// More slots than there is room for: the level as a column, the next items at its bottom.
void PipelineStage::paintFill(QPainter &painter)
{
    if (depth() == 0)
        return;
    const Theme &theme = Theme::current();
    const QRectF &tank = m_layout.tank;
    double share = 1;
    if (capacity() > 0)
        share = std::min(1.0, static_cast<double>(depth()) / static_cast<double>(capacity()));
    else
        share = std::min(1.0, static_cast<double>(depth()) / std::max(1, m_scale.shownItems));
    const double height = tank.height() * share;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(tank.left(), tank.bottom() - height, tank.width(), height),
                     isNearlyFull() ? theme.fullTint : theme.hover);
}

void PipelineStage::paintItems(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &tank = m_layout.tank;
    const auto slotAt = [&](int i) {
        return QRectF(tank.left() + 1, tank.bottom() - (i + 1) * m_scale.slotHeight + 1,
                      tank.width() - 2, m_scale.slotHeight - 2);
    };
    int shown = 0;
    if (snapshot()) {
        const QList<QueuedItem> &items = snapshot()->state<PipelineState>().items;
        const bool overflows = depth() > static_cast<quint64>(m_scale.shownItems);
        const int room = overflows ? m_scale.shownItems - 1 : m_scale.shownItems;
        shown = std::max(0, std::min(static_cast<int>(items.size()), room));
        for (int i = 0; i < shown; ++i)
            paintItem(painter, slotAt(i), items[i]);
        if (depth() > static_cast<quint64>(shown) && shown < m_scale.shownItems) {
            drawText(painter, slotAt(shown), Qt::AlignCenter,
                     tr("%1 more").arg(shortNumber(static_cast<double>(depth()) - shown)),
                     textFont(TextSize::Caption), theme.text2);
            return;
        }
    }
    if (!m_scale.isExact || static_cast<quint64>(shown) >= capacity())
        return;
    QPen pen(theme.borderStrong, 1);
    pen.setDashPattern({3, 3});
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.setRenderHint(QPainter::Antialiasing);
    for (int i = shown; i < m_scale.shownItems; ++i)
        painter.drawRoundedRect(slotAt(i).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
    drawText(painter, slotAt(shown), Qt::AlignCenter, tr("free"), textFont(TextSize::Caption),
             theme.text3);
}

void PipelineStage::paintItem(QPainter &painter, const QRectF &slot, const QueuedItem &item)
{
    const Theme &theme = Theme::current();
    const bool known = item.producer >= 0 && item.producer < processes().size();
    const int colorIndex = known && !item.isEnd ? processes()[item.producer].colorIndex : -1;
    const QColor color = theme.process(colorIndex);
    painter.setOpacity(known ? opacityOf(item.producer) : 1);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(slot, theme.tint(color, 0.14));
    painter.fillRect(QRectF(slot.left(), slot.top(), 4, slot.height()), color);
    const QRectF text = slot.adjusted(10, 0, -6, 0);
    const QString age = durationText(static_cast<double>(item.ageNs) / 1e9);
    const double ageWidth = textWidth(age, monoFont(TextSize::Tick));
    const bool ageFits = ageWidth + 50 < text.width();
    if (ageFits)
        drawText(painter, text, Qt::AlignVCenter | Qt::AlignRight, age, monoFont(TextSize::Tick),
                 theme.text2);
    const QRectF names = text.adjusted(0, 0, ageFits ? -ageWidth - 6 : 0, 0);
    const QString name = item.isEnd ? tr("END") : itemNames().nameOf(item.index);
    const double used = drawText(painter, names, Qt::AlignVCenter, name,
                                 textFont(TextSize::Caption, QFont::DemiBold), theme.text);
    const QString from = shortName(processes()[known ? item.producer : 0]);
    if (textWidth(from, textFont(TextSize::Caption)) + used + 8 <= names.width())
        drawText(painter, names.adjusted(used + 8, 0, 0, 0), Qt::AlignVCenter, from,
                 textFont(TextSize::Caption), theme.text3);
    painter.setOpacity(1);
}

/// Who waits at the queue: a bar across the link of a blocked producer, a lit link for who holds an
/// item.
void PipelineStage::paintWaits(QPainter &painter)
{
    const Theme &theme = Theme::current();
    for (const Place &place : places()) {
        const ProcessLive *now = live(place.process);
        if (!now)
            continue;
        painter.setOpacity(opacityOf(place.process));
        const QColor color = theme.process(processes()[place.process].colorIndex);
        if (isProducer(processes()[place.process]) && m_producersHaveCards &&
            now->state == ProcessState::BlockedOnFull) {
            const QPolygonF path = putPath(place.rect);
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(QPen(theme.full, 1.5));
            painter.drawLine(path[0], path[1]);
            painter.fillRect(QRectF(path[1].x() - 2, path[1].y() - 8, 4, 16), theme.full);
        }
        if (isConsumer(processes()[place.process]) && m_consumersHaveCards &&
            now->currentIndex >= 0 && now->state == ProcessState::Running) {
            const QPolygonF path = takePath(place.rect);
            drawLink(painter, {path[3], path[4]}, color, Link::Tasks);
        }
    }
    painter.setOpacity(1);
}

void PipelineStage::describe(const ProcessLive &live, CardContent &content) const
{
    const QString share = tr("%1\u00A0%").arg(std::lround(100 * live.waitingShare));
    const bool blocked = live.state == ProcessState::BlockedOnFull;
    if (isProducer(content.process)) {
        content.taskText = blocked                  ? tr("in put(), no slot")
                           : live.currentIndex >= 0 ? tr("makes an item")
                                                    : QString();
        content.count = tr("%1 put").arg(shortNumber(static_cast<double>(live.done)));
        content.note = tr("blocked %1").arg(share);
        content.noteIsWarning = live.waitingShare >= 0.5;
    } else if (isConsumer(content.process)) {
        content.taskText = live.state == ProcessState::WaitingOnEmpty ? tr("in get(), no item")
                           : live.currentIndex >= 0                   ? tr("works on it")
                                                                      : QString();
        content.count = tr("%1 taken").arg(shortNumber(static_cast<double>(live.done)));
        content.note = tr("idle %1").arg(share);
    } else {
        content.taskText = isEnded() ? tr("all joined") : tr("in join()");
    }
}

void PipelineStage::findMoves(const StageSnapshot &before, const StageSnapshot &now)
{
    const auto nameOf = [this](qint64 index) {
        return itemNames().nameOf(static_cast<quint64>(index));
    };
    for (const Place &place : places()) {
        if (place.process == 0 || place.process >= before.processes.size())
            continue;
        const ProcessLive &was = before.processes[place.process];
        const ProcessLive &is = now.processes[place.process];
        const int colorIndex = processes()[place.process].colorIndex;
        const bool produces = isProducer(processes()[place.process]);
        if (produces && m_producersHaveCards && is.done > was.done && was.currentIndex >= 0)
            moveToken(putPath(place.rect), nameOf(was.currentIndex), colorIndex);
        if (!produces && m_consumersHaveCards && is.currentIndex >= 0 &&
            (is.currentIndex != was.currentIndex || is.currentSinceNs != was.currentSinceNs) &&
            is.state != ProcessState::WaitingOnEmpty)
            moveToken(takePath(place.rect), nameOf(is.currentIndex), colorIndex);
    }
}

QString PipelineStage::summaryText() const
{
    const StageSnapshot *now = snapshot();
    if (!now)
        return idleText();
    const QString queue = capacity() > 0
                              ? tr("%1 of %2 in the queue").arg(number(depth()), number(capacity()))
                              : tr("%1 in the queue").arg(number(depth()));
    return tr("%1 of %2 items taken, %3").arg(number(now->done), number(now->total), queue);
}

} // namespace proclab
