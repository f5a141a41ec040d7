// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_overlay.h"

#include "ui/shared/theme.h"

#include <QFontMetrics>
#include <QPainter>

#include <algorithm>

namespace proclab {

ChartOverlay::ChartOverlay(QWidget *parent) : QWidget(parent)
{
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAttribute(Qt::WA_NoSystemBackground);
    setFocusPolicy(Qt::NoFocus);
}

QRect ChartOverlay::lineRect() const
{
    return m_x ? QRect(*m_x, m_plot.top(), 1, m_plot.height()) : QRect();
}

QRect ChartOverlay::chipRect() const
{
    if (!m_x || m_time.isEmpty())
        return {};
    const int wide =
        QFontMetrics(textFont(TextSize::Tick, QFont::DemiBold)).horizontalAdvance(m_time) + 10;
    const int left = std::clamp(*m_x - wide / 2, 0, std::max(0, width() - wide));
    return {left, m_plot.bottom() + 3, wide, 16};
}

void ChartOverlay::setCursorLine(std::optional<int> x, const QRect &plot, const QString &time)
{
    if (x == m_x && plot == m_plot && time == m_time)
        return;
    update(lineRect());
    update(chipRect());
    m_x = x;
    m_plot = plot;
    m_time = time;
    update(lineRect());
    update(chipRect());
}

void ChartOverlay::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    if (m_x)
        painter.fillRect(lineRect(), theme.text2);
    const QRect chip = chipRect();
    if (!chip.isEmpty()) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.hover);
        painter.drawRoundedRect(chip, 3, 3);
        painter.setPen(theme.text);
        painter.setFont(textFont(TextSize::Tick, QFont::DemiBold));
        painter.drawText(chip, Qt::AlignCenter, m_time);
    }
    if (parentWidget()->hasFocus()) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.accent, 2));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

} // namespace proclab
