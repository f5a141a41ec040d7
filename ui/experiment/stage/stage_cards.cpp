// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/stage_cards.h"

#include "ui/experiment/stage/process_look.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr int maxCards = 12;
constexpr int maxRows = 40;
constexpr int shownDead = 2;
constexpr double fullHeight = 84;
constexpr double tallestFull = 190;
constexpr double compactHeight = 52;
constexpr double tallestCompact = 60;
constexpr double deadHeight = 38;
constexpr double cardGap = 8;
constexpr double widestGap = 80;
constexpr double rowPitch = 28;
constexpr double lowestRowPitch = 22;
constexpr double largestSquare = 24;
constexpr double smallestSquare = 4;

/// Cards of one height, and lower ones for the dead, over the whole height as far as gaps may be
/// wide; empty if they do not fit.
QList<QRectF> stackCards(const QRectF &area, const QList<bool> &isDead, double smallest,
                         double tallest)
{
    const auto dead = static_cast<double>(isDead.count(true));
    const auto alive = static_cast<double>(isDead.size()) - dead;
    const double gaps = cardGap * (static_cast<double>(isDead.size()) - 1);
    const double room = area.height() - gaps - dead * deadHeight;
    if (alive > 0 && room / alive < smallest)
        return {};
    if (room < 0)
        return {};
    const double height = alive > 0 ? std::floor(std::min(tallest, room / alive)) : 0;
    const double cards = alive * height + dead * deadHeight;
    const double between = static_cast<double>(std::max<qsizetype>(1, isDead.size() - 1));
    const double gap =
        std::clamp(std::floor((area.height() - cards) / between), cardGap, widestGap);
    const double used = cards + gap * static_cast<double>(isDead.size() - 1);
    double y = area.top() + std::floor((area.height() - used) / 2);
    QList<QRectF> rects;
    for (const bool isOver : isDead) {
        const double cardHeight = isOver ? deadHeight : height;
        rects.append({area.left(), y, area.width(), cardHeight});
        y += cardHeight + gap;
    }
    return rects;
}

QList<QRectF> stackRows(const QRectF &area, qsizetype count)
{
    const double pitch = std::min(rowPitch, std::floor(area.height() / static_cast<double>(count)));
    if (pitch < lowestRowPitch)
        return {};
    QList<QRectF> rects;
    const double used = pitch * static_cast<double>(count);
    double y = area.top() + std::floor((area.height() - used) / 2);
    for (qsizetype i = 0; i < count; ++i, y += pitch)
        rects.append({area.left(), y, area.width(), pitch - 2});
    return rects;
}

QList<QRectF> gridOfSquares(const QRectF &area, qsizetype count)
{
    double size = largestSquare;
    double gap = 4;
    int columns = 1;
    for (; size >= smallestSquare; size -= 1) {
        gap = size >= 16 ? 4 : size >= 8 ? 2 : 1;
        columns = std::max(1, static_cast<int>((area.width() + gap) / (size + gap)));
        const auto rows =
            static_cast<int>(std::ceil(static_cast<double>(count) / static_cast<double>(columns)));
        if (rows * (size + gap) - gap <= area.height())
            break;
    }
    const int rows = static_cast<int>((count + columns - 1) / columns);
    const double top =
        area.top() + std::max(0.0, std::floor((area.height() - rows * (size + gap) + gap) / 2));
    QList<QRectF> rects;
    for (int i = 0; i < count; ++i)
        rects.append({area.left() + (i % columns) * (size + gap),
                      top + (i / columns) * (size + gap), size, size});
    return rects;
}

} // namespace

CardLayout arrangeCards(const QRectF &area, const QList<bool> &isDead, CardStyle largest)
{
    const qsizetype count = isDead.size();
    if (count == 0)
        return {};
    if (count - isDead.count(true) <= maxCards) {
        const bool full = largest == CardStyle::Full;
        if (auto rects = stackCards(area, isDead, fullHeight, tallestFull);
            full && !rects.isEmpty())
            return {CardStyle::Full, rects};
        if (auto rects = stackCards(area, isDead, compactHeight, tallestCompact); !rects.isEmpty())
            return {CardStyle::Compact, rects};
    }
    if (count <= maxRows) {
        if (auto rects = stackRows(area, count); !rects.isEmpty())
            return {CardStyle::Row, rects};
    }
    return {CardStyle::Square, gridOfSquares(area, count)};
}

QList<int> shownProcesses(const QList<ProcessRecord> &processes, const ProcessRole &role)
{
    std::vector<bool> isReplaced(static_cast<std::size_t>(processes.size()), false);
    for (const ProcessRecord &process : processes) {
        if (process.replaces >= 0 && process.replaces < processes.size())
            isReplaced[static_cast<std::size_t>(process.replaces)] = true;
    }
    int dead = 0;
    std::vector<bool> isShown(static_cast<std::size_t>(processes.size()), false);
    for (qsizetype i = processes.size(); i-- > 0;) {
        const auto at = static_cast<std::size_t>(i);
        isShown[at] = processes[i].role == &role &&
                      (!isReplaced[at] || (hasCrashed(processes[i]) && dead++ < shownDead));
    }
    QList<int> shown;
    for (const int process : laneOrder(processes)) {
        if (isShown[static_cast<std::size_t>(process)])
            shown.append(process);
    }
    return shown;
}

} // namespace proclab
