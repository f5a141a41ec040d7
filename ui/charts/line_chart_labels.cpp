// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_label.h"
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
            else if (showsMeans() && !curve.isEmpty())
                curve.append({curve.last().x(), at.y()});
            curve.append(at);
        }
        curves.append(curve);
    }
    return curves;
}

/// The dashed lines.
QList<QPolygonF> LineChart::levelsInPixels() const
{
    const QRectF rect = m_plot->axisRect()->rect();
    QList<QPolygonF> levels;
    const auto add = [&](double value) {
        const double y = m_plot->yAxis->coordToPixel(value);
        levels.append(QPolygonF{{rect.left(), y}, {rect.right(), y}});
    };
    if (m_threshold)
        add(*m_threshold);
    if (m_meanText->visible())
        add(*m_mean);
    return levels;
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
    const QList<QPolygonF> curves = curvesInPixels();
    QList<QRectF> taken = placeLineLabels(curves);
    const QList<QPolygonF> lines = curves + levelsInPixels();
    taken += placeSeriesLabels(lines, taken);
    placeNote(lines, taken);
}

QList<QRectF> LineChart::placeLineLabels(const QList<QPolygonF> &lines)
{
    QList<QRectF> taken;
    const auto place = [&](QCPItemText *text, double value, bool atRight) {
        taken.append(placeLineLabel(m_plot->axisRect()->rect(),
                                    {m_plot->yAxis->coordToPixel(value), labelSize(text), atRight},
                                    lines, taken));
        text->position->setCoords(taken.last().topLeft());
    };
    if (m_threshold)
        place(m_thresholdText, *m_threshold, true);
    if (m_meanText->visible())
        place(m_meanText, *m_mean, false);
    return taken;
}

QList<QRectF> LineChart::placeSeriesLabels(const QList<QPolygonF> &lines,
                                           const QList<QRectF> &taken)
{
    const auto named = std::count_if(m_series.cbegin(), m_series.cend(),
                                     [](const Series &series) { return series.text != nullptr; });
    const bool directLabels =
        (m_style == Style::Lines || m_style == Style::Steps) && named <= maxDirectLabels;
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
        labels.append(
            {{m_plot->xAxis->coordToPixel(end->key), m_plot->yAxis->coordToPixel(end->value)},
             labelSize(series.text)});
        texts.append(series.text);
    }
    const QList<QRectF> places = placeCurveLabels(m_plot->axisRect()->rect(), labels, lines, taken);
    for (qsizetype i = 0; i < texts.size(); ++i)
        texts[i]->position->setCoords(places[i].topLeft());
    return places;
}

/// What says of how few values the chart is made: where there is nothing else.
void LineChart::placeNote(const QList<QPolygonF> &lines, QList<QRectF> taken)
{
    const bool isWanted = !m_note.isEmpty() && !showsNoData();
    const QRectF area = m_plot->axisRect()->rect();
    const auto addUpright = [&](double seconds) {
        taken.append(
            QRectF(m_plot->xAxis->coordToPixel(seconds) - 1, area.top(), 3, area.height()));
    };
    if (m_now >= 0)
        addUpright(m_now);
    for (const double seconds : std::as_const(m_marks))
        addUpright(seconds);
    const bool isFilled = m_style == Style::Stacked || m_style == Style::Bands;
    const std::optional<QRectF> place =
        isWanted ? proclab::placeNote(area, labelSize(m_noteText), lines, taken,
                                      isFilled ? Below::Filled : Below::Free)
                 : std::nullopt;
    m_noteText->setVisible(place.has_value());
    if (place)
        m_noteText->position->setCoords(place->topLeft());
    const bool inHead = isWanted && !place;
    if (inHead != m_noteInHead) {
        m_noteInHead = inHead;
        update(0, 0, width(), plotRect().top());
    }
}

} // namespace proclab
