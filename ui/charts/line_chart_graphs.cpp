// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_label.h"
#include "ui/charts/line_chart.h"
#include "ui/charts/stacked_bands.h"

#include <qcustomplot.h>

#include <algorithm>

namespace proclab {

namespace {

constexpr int maxSmoothLines = 12;

} // namespace

QColor LineChart::shownColor(int series, double opacity) const
{
    QColor color = m_series[series].color;
    if (m_emphasis >= 0 && m_emphasis != series)
        opacity *= 0.4;
    color.setAlphaF(static_cast<float>(opacity));
    return color;
}

void LineChart::styleGraphs()
{
    // A tangle of lines needs no smooth edges.
    const bool isTangle = m_series.size() > maxSmoothLines;
    for (int i = 0; i < m_series.size(); ++i) {
        QCPGraph *graph = m_series[i].graph;
        graph->setBrush(Qt::NoBrush);
        graph->setChannelFillGraph(nullptr);
        graph->setLineStyle(showsMeans()              ? QCPGraph::lsStepRight
                            : m_style == Style::Steps ? QCPGraph::lsStepLeft
                                                      : QCPGraph::lsLine);
        graph->setAntialiased(!isTangle && m_style == Style::Lines);
        graph->setPen(QPen(shownColor(i), isTangle ? 1 : 1.5));
        if (m_style == Style::Stacked) {
            graph->setPen(Qt::NoPen);
            graph->setBrush(shownColor(i, 0.8));
            if (i > 0)
                graph->setChannelFillGraph(bottomGraph(i));
        } else if (m_style == Style::Bands && i < bandSeries && i != 2) {
            graph->setPen(Qt::NoPen);
        }
        if (m_series[i].text)
            styleLabel(m_series[i].text, shownColor(i));
    }
    if (m_style == Style::Bands && m_series.size() >= bandSeries) {
        m_series[4].graph->setBrush(shownColor(4, 0.18));
        m_series[4].graph->setChannelFillGraph(m_series[0].graph);
        m_series[3].graph->setBrush(shownColor(3, 0.35));
        m_series[3].graph->setChannelFillGraph(m_series[1].graph);
    }
}

/// Draws nothing: where the band of @p series begins.
QCPGraph *LineChart::bottomGraph(int series)
{
    QCPGraph *&bottom = m_series[series].bottom;
    if (bottom == nullptr) {
        bottom = m_plot->addGraph();
        bottom->setVisible(false);
        bottom->setLineStyle(QCPGraph::lsStepRight);
    }
    return bottom;
}

void LineChart::fillGraphs()
{
    const double pixel = m_range / std::max(1, plotRect().width());
    if (m_style == Style::Stacked) {
        const auto layers =
            m_history.stacked(static_cast<int>(m_series.size()), holdSeconds, pixel);
        for (std::size_t i = 0; i < layers.size(); ++i)
            m_series[static_cast<qsizetype>(i)].graph->setData(layers[i].x, layers[i].y, true);
        return; // Where the bands begin depends on the axis.
    }
    for (int i = 0; i < m_series.size(); ++i) {
        ChartHistory::Points points =
            showsMeans() ? m_history.line(i, pixel) : m_history.line(i, pixel, longestGap);
        // A count holds until it changes: its step reaches the present.
        if (m_style == Style::Steps && !points.x.isEmpty() && m_now > points.x.last()) {
            points.x.append(m_now);
            points.y.append(points.y.last());
        }
        m_series[i].graph->setData(points.x, points.y, true);
        // A line needs two points: what was measured once stands as a dot.
        m_series[i].graph->setScatterStyle(points.x.size() == 1
                                               ? QCPScatterStyle(QCPScatterStyle::ssDisc, 4)
                                               : QCPScatterStyle(QCPScatterStyle::ssNone));
    }
}

void LineChart::fillBottoms()
{
    if (m_style != Style::Stacked)
        return;
    const QMargins margins = m_plot->axisRect()->margins();
    const double pixel = m_top / std::max(1, m_plot->height() - margins.top() - margins.bottom());
    for (int i = 1; i < m_series.size(); ++i) {
        const QCPGraphDataContainer &below = *m_series[i - 1].graph->data();
        const QCPGraphDataContainer &tops = *m_series[i].graph->data();
        QVector<QCPGraphData> bottoms;
        bottoms.reserve(tops.size());
        for (int at = 0; at < tops.size(); ++at)
            bottoms.append(
                {tops.at(at)->key, bandBottom(below.at(at)->value, tops.at(at)->value, pixel)});
        bottomGraph(i)->data()->set(bottoms, true);
    }
}

} // namespace proclab
