// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/line_chart.h"

#include "ui/charts/plot_tickers.h"
#include "ui/shared/theme.h"

#include <QEvent>
#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <QVBoxLayout>
#include <qcustomplot.h>

#include <algorithm>
#include <chrono>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr int headHeight = 28;
constexpr int leftMargin = 40;
constexpr int rightMargin = 20; // Half of the last time label.
constexpr int headMargin = 12;
constexpr double holdSeconds = 0.3;
constexpr int bandSeries = 5;
constexpr int maxDirectLabels = 5;

QPen dashed(const QColor &color, qreal dash, qreal gap)
{
    QPen pen(color, 1);
    pen.setDashPattern({dash, gap});
    return pen;
}

} // namespace

LineChart::LineChart(QWidget *parent) : QWidget(parent), m_plot(new QCustomPlot(this))
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, headHeight, 0, 0);
    layout->addWidget(m_plot);
    m_pause.setSingleShot(true);
    m_pause.setInterval(100ms);
    connect(&m_pause, &QTimer::timeout, this, [this] {
        if (m_dirty)
            refresh();
    });
    createPlot();
    applyTheme();
}

void LineChart::createPlot()
{
    m_plot->setAttribute(Qt::WA_TransparentForMouseEvents);
    m_plot->setFocusPolicy(Qt::NoFocus);
    m_plot->setPlottingHints(QCP::phCacheLabels);
    m_plot->setNotAntialiasedElements(QCP::aeAxes | QCP::aeGrid | QCP::aeFills);
    QCPAxisRect *rect = m_plot->axisRect();
    rect->setAutoMargins(QCP::msNone);
    rect->setMinimumMargins(QMargins());
    m_plot->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new TimeTicker));
    m_plot->yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new NumberTicker));
    m_plot->xAxis->ticker()->setTickCount(5);
    m_plot->yAxis->ticker()->setTickCount(4);
    for (QCPAxis *axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setSubTicks(false);
        axis->setTickLength(0);
        axis->setTickLabelPadding(4);
    }
    m_plot->yAxis->setBasePen(Qt::NoPen);

    m_nowLine = new QCPItemStraightLine(m_plot);
    m_thresholdLine = new QCPItemStraightLine(m_plot);
    m_thresholdText = new QCPItemText(m_plot);
    m_thresholdText->setPositionAlignment(Qt::AlignRight | Qt::AlignBottom);
    m_thresholdText->position->setType(QCPItemPosition::ptAbsolute);
    m_emptyText = new QCPItemText(m_plot);
    m_emptyText->setText(tr("No data yet"));
    m_emptyText->position->setType(QCPItemPosition::ptAxisRectRatio);
    m_emptyText->position->setCoords(0.5, 0.5);
    connect(m_plot, &QCustomPlot::afterLayout, this, &LineChart::placeLabels);
}

void LineChart::applyTheme()
{
    const Theme &theme = Theme::current();
    m_plot->setBackground(theme.panel);
    for (QCPAxis *axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setTickLabelFont(textFont(TextSize::Tick));
        axis->setTickLabelColor(theme.text3);
        axis->setTickPen(Qt::NoPen);
        axis->grid()->setPen(QPen(theme.grid, 1));
        axis->grid()->setZeroLinePen(Qt::NoPen);
    }
    m_plot->xAxis->setBasePen(QPen(theme.axis, 1));
    m_nowLine->setPen(QPen(theme.text3, 1));
    m_thresholdLine->setPen(dashed(theme.full, 4, 3));
    m_thresholdText->setColor(theme.full);
    m_thresholdText->setFont(textFont(TextSize::Caption));
    m_emptyText->setColor(theme.text3);
    m_emptyText->setFont(textFont(TextSize::Small));
    for (QCPItemStraightLine *line : std::as_const(m_markLines))
        line->setPen(dashed(theme.crash, 3, 3));
    styleGraphs();
    refresh();
}

void LineChart::setTitle(const QString &title, const QString &unit)
{
    m_title = title;
    m_unit = unit;
    setAccessibleName(unit.isEmpty() ? title : tr("%1, %2").arg(title, unit));
    update();
}

void LineChart::setValueText(const QString &text)
{
    if (text == m_valueText)
        return;
    m_valueText = text;
    setAccessibleDescription(text);
    update(0, 0, width(), headHeight);
}

void LineChart::setStyle(Style style)
{
    if (style == m_style)
        return;
    m_style = style;
    styleGraphs();
    refresh();
}

void LineChart::clear()
{
    m_history.clear();
    rebuildGraphs();
    setValueText({});
    setMarks({});
    m_now = -1;
    refresh();
}

void LineChart::rebuildGraphs()
{
    m_plot->clearGraphs();
    for (const Series &series : std::as_const(m_series)) {
        if (series.text)
            m_plot->removeItem(series.text);
    }
    m_series.clear();
}

int LineChart::addSeries(const QString &label, const QColor &color)
{
    Series series;
    series.label = label;
    series.color = color;
    series.graph = m_plot->addGraph();
    series.graph->setAdaptiveSampling(true);
    if (!label.isEmpty()) {
        series.text = new QCPItemText(m_plot);
        series.text->position->setType(QCPItemPosition::ptAbsolute);
        series.text->setPositionAlignment(Qt::AlignRight | Qt::AlignVCenter);
        series.text->setText(label);
    }
    m_series.append(series);
    styleGraphs();
    return m_history.addSeries();
}

void LineChart::setSeriesColor(int series, const QColor &color)
{
    m_series[series].color = color;
    styleGraphs();
    refresh();
}

void LineChart::setEmphasis(int series)
{
    if (series == m_emphasis)
        return;
    m_emphasis = series;
    styleGraphs();
    refresh();
}

void LineChart::append(int series, double seconds, double value)
{
    m_history.append(series, seconds, value);
}

void LineChart::setThreshold(std::optional<double> value, const QString &label)
{
    m_threshold = value;
    m_thresholdLabel = label;
    refresh();
}

void LineChart::setLimit(double limit)
{
    m_limit = limit;
}

void LineChart::setMinimumTop(double top)
{
    m_minimumTop = top;
}

void LineChart::setTimeRange(double seconds)
{
    m_range = seconds > 0 ? seconds : 1;
}

void LineChart::setNow(double seconds)
{
    m_now = seconds;
}

void LineChart::setMarks(const QList<double> &seconds)
{
    if (seconds == m_marks)
        return;
    m_marks = seconds;
    updateMarks();
}

void LineChart::updateMarks()
{
    while (m_markLines.size() > m_marks.size())
        m_plot->removeItem(m_markLines.takeLast());
    while (m_markLines.size() < m_marks.size()) {
        m_markLines.append(new QCPItemStraightLine(m_plot));
        m_markLines.last()->setPen(dashed(Theme::current().crash, 3, 3));
    }
    for (qsizetype i = 0; i < m_marks.size(); ++i) {
        m_markLines[i]->point1->setCoords(m_marks[i], 0);
        m_markLines[i]->point2->setCoords(m_marks[i], 1);
    }
}

void LineChart::setTimeLabelsVisible(bool visible)
{
    m_timeLabels = visible;
    refresh();
}

bool LineChart::showsNoData() const
{
    return m_history.isEmpty();
}

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
    const Theme &theme = Theme::current();
    for (int i = 0; i < m_series.size(); ++i) {
        QCPGraph *graph = m_series[i].graph;
        graph->setBrush(Qt::NoBrush);
        graph->setChannelFillGraph(nullptr);
        graph->setLineStyle(m_style == Style::Steps ? QCPGraph::lsStepLeft : QCPGraph::lsLine);
        graph->setPen(QPen(shownColor(i), 1.5));
        if (m_style == Style::Stacked) {
            graph->setPen(QPen(theme.panel, 1));
            graph->setBrush(shownColor(i, 0.8));
            if (i > 0)
                graph->setChannelFillGraph(m_series[i - 1].graph);
        } else if (m_style == Style::Bands && i < bandSeries && i != 2) {
            graph->setPen(Qt::NoPen);
        }
        if (m_series[i].text) {
            m_series[i].text->setColor(shownColor(i));
            m_series[i].text->setFont(textFont(TextSize::Caption));
        }
    }
    if (m_style == Style::Bands && m_series.size() >= bandSeries) {
        m_series[4].graph->setBrush(shownColor(4, 0.18));
        m_series[4].graph->setChannelFillGraph(m_series[0].graph);
        m_series[3].graph->setBrush(shownColor(3, 0.35));
        m_series[3].graph->setChannelFillGraph(m_series[1].graph);
    }
}

void LineChart::refresh()
{
    m_dirty = true;
    if (!isVisible() || m_pause.isActive())
        return;
    m_dirty = false;
    m_pause.start();
    redraw();
}

void LineChart::redraw()
{
    fillGraphs();
    updateAxes();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LineChart::fillGraphs()
{
    if (m_style == Style::Stacked) {
        const auto layers = m_history.stacked(static_cast<int>(m_series.size()), holdSeconds);
        for (std::size_t i = 0; i < layers.size(); ++i)
            m_series[static_cast<qsizetype>(i)].graph->setData(layers[i].x, layers[i].y, true);
        return;
    }
    for (int i = 0; i < m_series.size(); ++i) {
        ChartHistory::Points points = m_history.line(i);
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

double LineChart::largestValue() const
{
    double largest = 0;
    for (const Series &series : m_series) {
        for (const QCPGraphData &point : *series.graph->data())
            largest = std::max(largest, point.value);
    }
    return largest;
}

void LineChart::updateAxes()
{
    const bool empty = showsNoData();
    m_emptyText->setVisible(empty);
    // Whole steps, so that the top tick is the top; a little room above the largest value.
    double top = std::max(1.02 * largestValue(), m_minimumTop);
    if (m_threshold)
        top = std::max(top, 1.02 * *m_threshold);
    if (top <= 0)
        top = 1;
    const double step = valueStep(top);
    m_top = step * std::ceil(top / step - 1e-9);
    if (m_limit > 0)
        m_top = std::min(m_top, m_limit);
    m_plot->yAxis->setRange(0, m_top);
    m_plot->xAxis->setRange(0, m_range);
    m_plot->xAxis->setTickLabels(m_timeLabels);
    m_plot->axisRect()->setMargins(QMargins(leftMargin, 8, rightMargin, m_timeLabels ? 24 : 8));

    m_nowLine->setVisible(m_now >= 0 && !empty);
    m_nowLine->point1->setCoords(m_now, 0);
    m_nowLine->point2->setCoords(m_now, 1);
    m_thresholdLine->setVisible(m_threshold.has_value());
    m_thresholdText->setVisible(m_threshold.has_value());
    if (m_threshold) {
        m_thresholdLine->point1->setCoords(0, *m_threshold);
        m_thresholdLine->point2->setCoords(1, *m_threshold);
        m_thresholdText->setText(m_thresholdLabel);
    }
}

void LineChart::placeLabels()
{
    const QRect rect = m_plot->axisRect()->rect();
    if (m_threshold) {
        const double y = m_plot->yAxis->coordToPixel(*m_threshold);
        const bool above = y - rect.top() > 14;
        m_thresholdText->setPositionAlignment(Qt::AlignRight |
                                              (above ? Qt::AlignBottom : Qt::AlignTop));
        m_thresholdText->position->setCoords(rect.right() - 2, y);
    }
    const bool directLabels =
        (m_style == Style::Lines || m_style == Style::Steps) && m_series.size() <= maxDirectLabels;
    QList<std::pair<double, QCPItemText *>> labels;
    for (const Series &series : std::as_const(m_series)) {
        if (!series.text)
            continue;
        const auto points = series.graph->data();
        const bool visible = directLabels && !points->isEmpty();
        series.text->setVisible(visible);
        if (!visible)
            continue;
        const auto end = points->constEnd() - 1;
        const double x = std::min<double>(m_plot->xAxis->coordToPixel(end->key), rect.right());
        series.text->position->setCoords(x - 3, 0);
        labels.append({m_plot->yAxis->coordToPixel(end->value), series.text});
    }
    std::sort(labels.begin(), labels.end());
    constexpr double lineHeight = 13;
    constexpr double distance = 8; // From the line to the middle of its label.
    double floorY = rect.top() + lineHeight / 2;
    for (qsizetype i = 0; i < labels.size(); ++i) {
        const bool lowestOfSeveral = i > 0 && i == labels.size() - 1;
        const double lineY = labels[i].first;
        const bool below = lowestOfSeveral ? rect.bottom() - lineY > 2 * distance
                                           : lineY - rect.top() < 2 * distance;
        const double room = static_cast<double>(labels.size() - 1 - i) * lineHeight + distance;
        const double wanted =
            std::min(lineY + (below ? distance : -distance), rect.bottom() - room);
        const double y = std::max(floorY, wanted);
        labels[i].second->position->setCoords(labels[i].second->position->coords().x(), y);
        floorY = y + lineHeight;
    }
}

void LineChart::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    painter.fillRect(rect(), theme.panel);
    const QFont titleFont = textFont(TextSize::Small, QFont::DemiBold);
    const QFont unitFont = textFont(TextSize::Caption);
    const QFont valueFont = monoFont(TextSize::Small);
    const QRect head(headMargin, 4, width() - headMargin - rightMargin, headHeight - 4);

    painter.setFont(valueFont);
    painter.setPen(theme.text);
    painter.drawText(head, Qt::AlignRight | Qt::AlignVCenter, m_valueText);
    const int valueWidth = QFontMetrics(valueFont).horizontalAdvance(m_valueText);
    painter.setFont(titleFont);
    painter.drawText(head, Qt::AlignLeft | Qt::AlignVCenter, m_title);
    const int titleWidth = QFontMetrics(titleFont).horizontalAdvance(m_title);
    painter.setFont(unitFont);
    painter.setPen(theme.text3);
    const QRect unitRect = head.adjusted(titleWidth + 8, 1, -valueWidth - 8, 1);
    painter.drawText(
        unitRect, Qt::AlignLeft | Qt::AlignVCenter,
        QFontMetrics(unitFont).elidedText(m_unit, Qt::ElideRight, std::max(0, unitRect.width())));
}

bool LineChart::event(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    const QPoint inPlot = m_plot->mapFrom(this, help->pos());
    const QRect rect = m_plot->axisRect()->rect();
    if (showsNoData() || !rect.contains(inPlot)) {
        QToolTip::hideText();
        return true;
    }
    const double seconds = m_plot->xAxis->pixelToCoord(inPlot.x());
    QToolTip::showText(help->globalPos() + QPoint(12, 12), tipText(seconds), this);
    return true;
}

QString LineChart::tipText(double seconds) const
{
    QStringList lines{m_title % u' ' % tr("at %1").arg(durationText(std::max(0.0, seconds)))};
    static const char *const bandNames[] = {QT_TR_NOOP("smallest"), QT_TR_NOOP("lower quartile"),
                                            QT_TR_NOOP("median"), QT_TR_NOOP("upper quartile"),
                                            QT_TR_NOOP("largest")};
    for (int i = 0; i < m_series.size() && i < 12; ++i) {
        QString name = m_series[i].label;
        if (m_style == Style::Bands && i < bandSeries)
            name = tr(bandNames[i]);
        const QString value = shortNumber(m_history.at(i, seconds));
        lines.append(name.isEmpty() ? QString(value % u' ' % m_unit)
                                    : QString(name % u": " % value));
    }
    return lines.join(u'\n');
}

void LineChart::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        applyTheme();
    QWidget::changeEvent(event);
}

void LineChart::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    refresh();
}

QSize LineChart::sizeHint() const
{
    return {304, 140};
}

QSize LineChart::minimumSizeHint() const
{
    return {180, headHeight + 48};
}

} // namespace proclab
