// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/line_chart.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/shared/theme.h"

#include <QEvent>
#include <QPainter>

namespace proclab {

namespace {

constexpr int smallestChart = 76;
constexpr int smallestWithMemory = 112;
constexpr int timeLabelHeight = 16;

} // namespace

void ChartColumn::arrangeCharts()
{
    const auto count = static_cast<int>(m_charts.size());
    const bool memoryFits = (height() - timeLabelHeight) / count >= smallestWithMemory;
    m_memory->setVisible(memoryFits);
    const int shown = memoryFits ? count : count - 1;
    // A low and wide place, such as the dock, takes them side by side.
    int columns = 1;
    while (columns < shown && height() / ((shown + columns - 1) / columns) < smallestChart &&
           width() / (columns + 1) >= minimumSizeHint().width())
        ++columns;
    const int rows = (shown + columns - 1) / columns;
    const int rowHeight = (height() - timeLabelHeight - (rows - 1)) / rows;
    const int columnWidth = (width() - (columns - 1)) / columns;
    for (int i = 0; i < shown; ++i) {
        const int row = i % rows;
        const bool lowest = row == rows - 1 || i == shown - 1;
        const int column = i / rows;
        const int chartWidth =
            column == columns - 1 ? width() - column * (columnWidth + 1) : columnWidth;
        m_charts[i]->setTimeLabelsVisible(lowest);
        m_charts[i]->setGeometry(column * (columnWidth + 1), row * (rowHeight + 1), chartWidth,
                                 lowest ? height() - row * (rowHeight + 1) : rowHeight);
    }
}

void ChartColumn::resizeEvent(QResizeEvent *)
{
    arrangeCharts();
}

void ChartColumn::paintEvent(QPaintEvent *)
{
    QPainter(this).fillRect(rect(), Theme::current().border);
}

void ChartColumn::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        updateColors();
    QWidget::changeEvent(event);
}

} // namespace proclab
