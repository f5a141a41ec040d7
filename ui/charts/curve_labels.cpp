// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/curve_labels.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr double labelGap = 3;
constexpr double stride = 2;
constexpr double sideStride = 8;
constexpr double crossingPrice = 50; // In pixels that a label would rather move.
constexpr double clearance = 1;      // Between a label and a line, pixels.

/// How much of @p rect's width the line from @p a to @p b, or what it fills, runs through; at least
/// 1 where it touches it.
double crossedWidth(const QRectF &rect, QPointF a, QPointF b, Below below)
{
    const double from = std::max(rect.left(), a.x());
    const double to = std::min(rect.right(), b.x());
    if (!(from <= to) || std::isnan(a.y()) || std::isnan(b.y()))
        return 0;
    const bool isUpright = b.x() - a.x() < 1e-9;
    const double slope = isUpright ? 0 : (b.y() - a.y()) / (b.x() - a.x());
    const double atFrom = isUpright ? a.y() : a.y() + slope * (from - a.x());
    const double atTo = isUpright ? b.y() : a.y() + slope * (to - a.x());
    const double top = std::min(atFrom, atTo);
    const double bottom = below == Below::Filled ? rect.bottom() : std::max(atFrom, atTo);
    if (top > rect.bottom() || bottom < rect.top())
        return 0;
    const double height = std::min(bottom, rect.bottom()) - std::max(top, rect.top());
    const double part = bottom - top > 1e-9 ? height / (bottom - top) : 1;
    return std::max(1.0, (to - from) * part);
}

double crossedWidth(const QRectF &rect, const QList<QPolygonF> &lines, Below below = Below::Free)
{
    const QRectF wide = rect.adjusted(0, -clearance, 0, clearance);
    double crossed = 0;
    for (const QPolygonF &line : lines) {
        if (line.size() == 1)
            crossed += crossedWidth(wide, line.first(), line.first(), below);
        const auto first = std::lower_bound(line.begin(), line.end(), wide.left(),
                                            [](QPointF point, double x) { return point.x() < x; });
        for (auto point = std::max(first, line.begin() + 1); point < line.end(); ++point) {
            if ((point - 1)->x() > wide.right())
                break;
            crossed += crossedWidth(wide, *(point - 1), *point, below);
        }
    }
    return crossed;
}

double cost(const QRectF &rect, double lineY, const QList<QPolygonF> &lines,
            const QList<QRectF> &taken)
{
    const double crossed = crossedWidth(rect, lines);
    double sum = std::abs(rect.center().y() - lineY);
    sum += crossed > 0 ? crossingPrice + 10 * crossed : 0;
    for (const QRectF &other : taken)
        sum += rect.intersects(other) ? 10'000 : 0;
    return sum;
}

QRectF placeOne(const QRectF &area, const CurveLabel &label, const QList<QPolygonF> &lines,
                const QList<QRectF> &taken)
{
    const bool fitsRight = label.end.x() + labelGap + label.size.width() <= area.right();
    const double right = std::min(label.end.x(), area.right()) - labelGap;
    const double from = fitsRight ? label.end.x() + labelGap
                                  : std::max(area.left() + labelGap, right - label.size.width());
    QRectF best;
    double lowest = 0;
    const double last = std::max(area.top(), area.bottom() - label.size.height());
    for (double left = from; left == from || left >= area.left() + labelGap; left -= sideStride) {
        for (double top = area.top(); top <= last; top += stride) {
            const QRectF rect(QPointF(left, top), label.size);
            const double price = cost(rect, label.end.y(), lines, taken) + (from - left);
            if (best.isNull() || price < lowest) {
                best = rect;
                lowest = price;
            }
        }
        if (lowest <= sideStride + label.size.height())
            break; // Farther away is no better.
    }
    return best;
}

} // namespace

QList<QRectF> placeCurveLabels(const QRectF &area, const QList<CurveLabel> &labels,
                               const QList<QPolygonF> &lines, const QList<QRectF> &taken)
{
    QList<QRectF> places;
    QList<QRectF> used = taken;
    for (const CurveLabel &label : labels) {
        places.append(placeOne(area, label, lines, used));
        used.append(places.last());
    }
    return places;
}

QRectF placeLineLabel(const QRectF &area, const LevelLabel &label, const QList<QPolygonF> &lines,
                      const QList<QRectF> &taken)
{
    const double first = area.left() + labelGap;
    const double last = std::max(first, area.right() - label.size.width() - 1);
    QRectF best;
    double lowest = 0;
    for (double shift = 0; shift <= last - first; shift += sideStride) {
        const double left = label.atRight ? last - shift : first + shift;
        for (const double top : {label.y - label.size.height() - 1, label.y + 2}) {
            const QRectF rect(QPointF(left, top), label.size);
            const bool isOutside = top < area.top() || rect.bottom() > area.bottom();
            const double price =
                10 * cost(rect, rect.center().y(), lines, taken) + shift + (isOutside ? 1e6 : 0);
            if (best.isNull() || price < lowest) {
                best = rect;
                lowest = price;
            }
        }
    }
    return best;
}

std::optional<QRectF> placeNote(const QRectF &area, const QSizeF &size,
                                const QList<QPolygonF> &lines, const QList<QRectF> &taken,
                                Below below)
{
    std::optional<QRectF> best;
    double lowest = 0;
    const double middle = area.center().x() - size.width() / 2;
    for (double top = area.top() + stride; top + size.height() <= area.bottom(); top += stride) {
        for (double left = area.left() + labelGap; left + size.width() <= area.right();
             left += sideStride) {
            const QRectF rect(QPointF(left, top), size);
            const double price = std::abs(left - middle) + 2 * (top - area.top());
            if ((best && price >= lowest) || crossedWidth(rect, lines, below) > 0 ||
                std::any_of(taken.cbegin(), taken.cend(),
                            [&rect](const QRectF &other) { return rect.intersects(other); }))
                continue;
            best = rect;
            lowest = price;
        }
    }
    return best;
}

} // namespace proclab
