// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/curve_labels.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr double labelGap = 3;
constexpr double stride = 2;
constexpr double clearance = 1; // Between a label and a line, pixels.

/// The height of a line at @p x, which is between its first and its last point.
double heightAt(const QPolygonF &line, double x)
{
    const auto right = std::lower_bound(line.begin(), line.end(), x,
                                        [](QPointF point, double at) { return point.x() < at; });
    if (right == line.begin() || right == line.end() || right->x() == x)
        return right == line.end() ? line.last().y() : right->y();
    const QPointF left = *(right - 1);
    return left.y() + (x - left.x()) / (right->x() - left.x()) * (right->y() - left.y());
}

/// How much of @p rect's width the lines run through.
double crossedWidth(const QRectF &rect, const QList<QPolygonF> &lines)
{
    const QRectF wide = rect.adjusted(0, -clearance, 0, clearance);
    double crossed = 0;
    for (const QPolygonF &line : lines) {
        if (line.isEmpty())
            continue;
        double before = NAN;
        const double from = std::max(wide.left(), line.first().x());
        const double to = std::min(wide.right(), line.last().x());
        for (double x = from; x <= to; x += stride) {
            const double y = heightAt(line, x);
            const double top = std::isnan(before) ? y : std::min(y, before);
            const double bottom = std::isnan(before) ? y : std::max(y, before);
            if (bottom >= wide.top() && top <= wide.bottom())
                crossed += stride;
            before = y;
        }
    }
    return crossed;
}

double cost(const QRectF &rect, double lineY, const QList<QPolygonF> &lines,
            const QList<QRectF> &taken)
{
    double sum = 10 * crossedWidth(rect, lines) + std::abs(rect.center().y() - lineY);
    for (const QRectF &other : taken)
        sum += rect.intersects(other) ? 10'000 : 0;
    return sum;
}

QRectF placeOne(const QRectF &area, const CurveLabel &label, const QList<QPolygonF> &lines,
                const QList<QRectF> &taken)
{
    const bool fitsRight = label.end.x() + labelGap + label.size.width() <= area.right();
    const double right = std::min(label.end.x(), area.right()) - labelGap;
    const double left = fitsRight ? label.end.x() + labelGap
                                  : std::max(area.left() + labelGap, right - label.size.width());
    QRectF best;
    double lowest = 0;
    const double last = std::max(area.top(), area.bottom() - label.size.height());
    for (double top = area.top(); top <= last; top += stride) {
        const QRectF rect(QPointF(left, top), label.size);
        const double price = cost(rect, label.end.y(), lines, taken);
        if (best.isNull() || price < lowest) {
            best = rect;
            lowest = price;
        }
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

} // namespace proclab
