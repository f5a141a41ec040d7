// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/count_pill.h"

#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <cmath>

namespace proclab {

namespace {

constexpr int pillHeight = 16;
constexpr int pillPadding = 6;

} // namespace

CountPill::CountPill(QWidget *parent) : QWidget(parent)
{
    setFixedSize(0, pillHeight);
    setAttribute(Qt::WA_OpaquePaintEvent); // What lies below need not be painted with it.
    hide();
}

bool CountPill::setCount(int count, bool isBad)
{
    if (count == m_count && isBad == m_isBad)
        return false;
    m_count = count;
    m_isBad = isBad;
    m_text = groupedNumber(count);
    QString widest = m_text;
    for (QChar &letter : widest)
        letter = letter.isDigit() ? QChar(u'8') : letter;
    const double text = textWidth(widest, textFont(TextSize::Caption));
    const int wide = count > 0 ? static_cast<int>(std::ceil(text)) + 2 * pillPadding : 0;
    setAccessibleName(m_text);
    update();
    if (wide == width())
        return false;
    setFixedWidth(wide);
    return true;
}

void CountPill::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    painter.fillRect(rect(), theme.panel);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_isBad ? theme.crashTint : theme.hover);
    painter.drawRoundedRect(rect(), pillHeight / 2.0, pillHeight / 2.0);
    drawText(painter, rect(), Qt::AlignCenter, m_text, textFont(TextSize::Caption),
             m_isBad ? theme.crash : theme.text2);
}

} // namespace proclab
