// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/line_chart.h"

#include "ui/charts/chart_label.h"
#include "ui/charts/chart_overlay.h"
#include "ui/charts/plot_tickers.h"
#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"

#include <QEvent>
#include <QPainter>
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
constexpr int rightMargin = 26; // Half of the last time label.
constexpr int headMargin = 12;
constexpr double labelRoom = 17; // Above a threshold, for its label.

/// A plot that is never drawn without room: a paint device of no size takes no painter.
class Plot final : public QCustomPlot
{
public:
    using QCustomPlot::QCustomPlot;

protected:
    void resizeEvent(QResizeEvent *event) override
    {
        if (!size().isEmpty())
            QCustomPlot::resizeEvent(event);
    }
};

QPen dashed(const QColor &color, qreal dash, qreal gap)
{
    QPen pen(color, 1);
    pen.setDashPattern({dash, gap});
    return pen;
}

} // namespace

LineChart::LineChart(QWidget *parent)
    : QWidget(parent)
    , m_plot(new Plot(this))
    , m_overlay(new ChartOverlay(this))
{
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setFocusPolicy(Qt::StrongFocus);
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
    m_plot->setAutoAddPlottableToLegend(false); // There is none, but it would be laid out.
    m_plot->setPlottingHints(QCP::phCacheLabels | QCP::phFastPolylines);
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
    m_thresholdText = makeLabel(m_plot);
    m_meanLine = new QCPItemStraightLine(m_plot);
    m_meanText = makeLabel(m_plot);
    m_noteText = makeLabel(m_plot);
    m_emptyText = new QCPItemText(m_plot);
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
    styleLabel(m_thresholdText, theme.full);
    m_meanLine->setPen(dashed(theme.accent, 4, 3));
    styleLabel(m_meanText, theme.accent);
    styleLabel(m_noteText, theme.text3);
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
    m_mean.reset();
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

int LineChart::addSeries(const QString &label, const QColor &color, const QString &name)
{
    Series series;
    series.name = name.isEmpty() ? label : name;
    series.color = color;
    series.graph = m_plot->addGraph();
    series.graph->setAdaptiveSampling(true);
    m_series.append(series);
    setSeriesLabel(static_cast<int>(m_series.size()) - 1, label);
    styleGraphs();
    return m_history.addSeries();
}

void LineChart::setSeriesLabel(int series, const QString &label)
{
    Series &labelled = m_series[series];
    if (label == labelled.label)
        return;
    labelled.label = label;
    if (labelled.text != nullptr)
        m_plot->removeItem(std::exchange(labelled.text, nullptr));
    if (label.isEmpty())
        return;
    labelled.text = makeLabel(m_plot);
    labelled.text->setText(label);
    styleLabel(labelled.text, shownColor(series));
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

void LineChart::setMean(std::optional<double> value)
{
    m_mean = value;
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

void LineChart::refresh()
{
    m_dirty = true;
    if (!isVisible() || m_plot->size().isEmpty() || m_pause.isActive())
        return;
    m_dirty = false;
    m_pause.start();
    redraw();
}

void LineChart::redraw()
{
    fillGraphs();
    updateAxes();
    fillBottoms();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LineChart::drawNow()
{
    if (m_plot->size().isEmpty())
        return;
    fillGraphs();
    updateAxes();
    fillBottoms();
    m_plot->replot(QCustomPlot::rpImmediateRefresh);
}

void LineChart::setNote(const QString &text)
{
    if (text == m_note)
        return;
    m_note = text;
    refresh();
}

void LineChart::updateAxes()
{
    const bool empty = showsNoData();
    m_emptyText->setVisible(empty);
    m_emptyText->setText(m_emptyLine);
    m_noteText->setText(m_note);
    // Whole steps, so that the top tick is the top; a little room above the largest value.
    double top = std::max(1.02 * largestValue(), m_minimumTop);
    if (m_mean)
        top = std::max(top, 1.02 * *m_mean);
    if (m_threshold)
        top = std::max(top, *m_threshold * (1 + labelRoom / std::max(40, plotRect().height())));
    if (top <= 0)
        top = m_limit > 0 ? m_limit : 1;
    const bool whole = m_style == Style::Steps;
    m_plot->yAxis->ticker().staticCast<NumberTicker>()->setWhole(whole);
    const double step = valueStep(top, whole);
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
    const bool hasMean = m_mean.value_or(0) > 0 && !empty;
    m_meanLine->setVisible(hasMean);
    m_meanText->setVisible(hasMean);
    if (hasMean) {
        m_meanLine->point1->setCoords(0, *m_mean);
        m_meanLine->point2->setCoords(1, *m_mean);
        m_meanText->setText(tr("mean %1").arg(shortNumber(*m_mean)));
    }
}

void LineChart::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    painter.fillRect(rect(), theme.panel);
    const QRectF head(headMargin, 4, width() - headMargin - rightMargin, headHeight - 4);
    const double valueWidth = paintValue(painter, head);
    const double titleWidth = drawText(painter, head, Qt::AlignLeft | Qt::AlignVCenter, m_title,
                                       textFont(TextSize::Small, QFont::DemiBold), theme.text);
    const QRectF between = head.adjusted(titleWidth + 8, 1, -valueWidth - 8, 1);
    const QFont font = textFont(TextSize::Caption);
    const QString unit = m_noteInHead ? m_note : m_unit;
    if (textWidth(unit, font) <= between.width()) // The tip says it too.
        drawText(painter, between, Qt::AlignLeft | Qt::AlignVCenter, unit, font, theme.text3);
}

void LineChart::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        applyTheme();
    QWidget::changeEvent(event);
}

void LineChart::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    m_overlay->setGeometry(rect());
    m_overlay->raise();
    if (m_dirty)
        refresh();
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
