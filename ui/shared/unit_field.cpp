// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/unit_field.h"

#include "ui/shared/theme.h"

#include <QKeyEvent>
#include <QPainter>

namespace proclab {

namespace {

constexpr int padding = 8;

} // namespace

UnitField::UnitField(QWidget *parent) : QLineEdit(parent) {}

void UnitField::setUnit(const QString &unit)
{
    m_unit = unit;
    const int width =
        unit.isEmpty() ? 0 : QFontMetrics(textFont(TextSize::Small)).horizontalAdvance(unit) + 4;
    setTextMargins(0, 0, width, 0);
    update();
}

QSize UnitField::sizeHint() const
{
    return {120, QLineEdit::sizeHint().height()};
}

QSize UnitField::minimumSizeHint() const
{
    return {64, QLineEdit::minimumSizeHint().height()};
}

void UnitField::paintEvent(QPaintEvent *event)
{
    QLineEdit::paintEvent(event);
    if (m_unit.isEmpty())
        return;
    QPainter painter(this);
    painter.setFont(textFont(TextSize::Small));
    painter.setPen(isEnabled() ? Theme::current().text3 : Theme::current().disabled);
    painter.drawText(rect().adjusted(0, 0, -padding, 0), Qt::AlignRight | Qt::AlignVCenter, m_unit);
}

void UnitField::keyPressEvent(QKeyEvent *event)
{
    switch (event->key()) {
    case Qt::Key_Up:
        Q_EMIT stepRequested(1);
        return;
    case Qt::Key_Down:
        Q_EMIT stepRequested(-1);
        return;
    case Qt::Key_PageUp:
        Q_EMIT stepRequested(10);
        return;
    case Qt::Key_PageDown:
        Q_EMIT stepRequested(-10);
        return;
    default:
        QLineEdit::keyPressEvent(event);
    }
}

} // namespace proclab
