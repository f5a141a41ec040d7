// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/curve_labels.h"
#include "ui/charts/line_chart.h"
#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <qcustomplot.h>

#include <algorithm>

namespace proclab {

namespace {

constexpr int maxDirectLabels = 5;

} // namespace

QRect LineChart::plotRect() const
{
    return m_plot->axisRect()->rect().translated(m_plot->pos());
}

/// Puts @p text above the line at @p value, or below it where there is no room.
QRectF LineChart::placeLineLabel(QCPItemText *text, double value, bool atRight) const
{
    const QRectF rect = m_plot->axisRect()->rect();
    const double y = m_plot->yAxis->coordToPixel(value);
    const QSizeF size(QFontMetricsF(text->font()).horizontalAdvance(text->text()) + 4,
                      QFontMetricsF(text->font()).height());
    const double left = atRight ? rect.right() - size.width() - 1 : rect.left() + 3;
    const bool above = y - rect.top() > size.height();
    const QRectF place(QPointF(left, above ? y - size.height() - 1 : y + 2), size);
    text->position->setCoords(place.topLeft());
    return place;
}

void LineChart::setEmptyText(const QString &text)
{
    m_emptyLine = text;
}

double LineChart::largestValue() const
{
    double largest = 0;
    for (const Series &series : m_series) {
        const QCPGraphDataContainer &points = *series.graph->data();
        // A mean is drawn from the point before up to its own: the first of several is not drawn.
        const bool isFirstDrawn = !showsMeans() || points.size() == 1;
        for (int at = isFirstDrawn ? 0 : 1; at < points.size(); ++at)
            largest = std::max(largest, points.at(at)->value);
    }
    return largest;
}

QList<QPolygonF> LineChart::curvesInPixels() const
{
    QList<QPolygonF> curves;
    for (const Series &series : m_series) {
        QPolygonF curve;
        for (const QCPGraphData &point : *series.graph->data()) {
            const QPointF at(m_plot->xAxis->coordToPixel(point.key),
                             m_plot->yAxis->coordToPixel(point.value));
            if (m_style == Style::Steps && !curve.isEmpty())
                curve.append({at.x(), curve.last().y()});
            curve.append(at);
        }
        curves.append(curve);
    }
    return curves;
}

/// The values at the right of @p head, from the last; one that begins with a curve's name has its
/// colour. Returns how wide they are.
double LineChart::paintValue(QPainter &painter, const QRectF &head) const
{
    const QStringView separator = u" \u00B7 ";
    const QFont font = monoFont(TextSize::Small);
    const QColor plain = Theme::current().text;
    QStringList pieces;
    for (const QString &part : m_valueText.split(separator.toString()))
        pieces << (pieces.isEmpty() ? QStringList() : QStringList(separator.toString())) << part;
    double width = 0;
    for (auto piece = pieces.crbegin(); piece != pieces.crend(); ++piece) {
        QColor color = plain;
        for (const Series &series : m_series) {
            const QString begin = series.label % u' ';
            if (!series.label.isEmpty() &&
                (piece->startsWith(begin) || piece->contains(u' ' % begin)))
                color = series.color;
        }
        width += drawText(painter, head.adjusted(0, 0, -width, 0),
                          Qt::AlignRight | Qt::AlignVCenter, *piece, font, color);
    }
    return width;
}

void LineChart::placeLabels()
{
    placeCursor();
    QList<QRectF> taken;
    if (m_threshold)
        taken.append(placeLineLabel(m_thresholdText, *m_threshold, true));
    if (m_meanText->visible())
        taken.append(placeLineLabel(m_meanText, *m_mean, false));
    const bool directLabels =
        (m_style == Style::Lines || m_style == Style::Steps) && m_series.size() <= maxDirectLabels;
    QList<CurveLabel> labels;
    QList<QCPItemText *> texts;
    for (const Series &series : std::as_const(m_series)) {
        if (!series.text)
            continue;
        const auto points = series.graph->data();
        series.text->setVisible(directLabels && !points->isEmpty());
        if (!series.text->visible())
            continue;
        const auto end = points->constEnd() - 1;
        const QFontMetricsF metrics(series.text->font());
        labels.append(
            {{m_plot->xAxis->coordToPixel(end->key), m_plot->yAxis->coordToPixel(end->value)},
             {metrics.horizontalAdvance(series.label) + 4, metrics.height()}});
        texts.append(series.text);
    }
    if (labels.isEmpty())
        return;
    const QList<QRectF> places =
        placeCurveLabels(m_plot->axisRect()->rect(), labels, curvesInPixels(), taken);
    for (qsizetype i = 0; i < texts.size(); ++i)
        texts[i]->position->setCoords(places[i].topLeft());
}

} // namespace proclab
