// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/combo_box.h"

#include "ui/shared/icon.h"
#include "ui/shared/theme.h"

#include <QStyleOptionComboBox>
#include <QStylePainter>
#include <QWheelEvent>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int sidePadding = 8;
constexpr int arrowWidth = 24;

/// With a space beside it.
int smallTextWidth(const QString &text)
{
    if (text.isEmpty())
        return 0;
    return QFontMetrics(textFont(TextSize::Small)).horizontalAdvance(text) + sidePadding;
}

} // namespace

ComboBox::ComboBox(QWidget *parent) : QComboBox(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
}

void ComboBox::setCaption(const QString &caption)
{
    m_caption = caption;
    updateGeometry();
    update();
}

void ComboBox::setRemark(const QString &remark)
{
    m_remark = remark;
    updateGeometry();
    update();
}

QSize ComboBox::sizeHint() const
{
    return QComboBox::sizeHint() + QSize(captionWidth() + remarkWidth(), 0);
}

QSize ComboBox::minimumSizeHint() const
{
    return {captionWidth() + 64, QComboBox::minimumSizeHint().height()};
}

int ComboBox::captionWidth() const
{
    return smallTextWidth(m_caption);
}

int ComboBox::remarkWidth() const
{
    return smallTextWidth(m_remark);
}

void ComboBox::paintEvent(QPaintEvent *)
{
    QStylePainter painter(this);
    QStyleOptionComboBox option;
    initStyleOption(&option);
    option.currentText.clear();
    painter.drawComplexControl(QStyle::CC_ComboBox, option);

    const Theme &theme = Theme::current();
    QRect room = rect().adjusted(sidePadding + (m_caption.isEmpty() ? 0 : 4), 0, -arrowWidth, 0);
    if (!m_caption.isEmpty()) {
        painter.setFont(textFont(TextSize::Small));
        painter.setPen(isEnabled() ? theme.text3 : theme.disabled);
        painter.drawText(room, Qt::AlignLeft | Qt::AlignVCenter, m_caption);
        room.setLeft(room.left() + captionWidth());
    }
    painter.setFont(font());
    painter.setPen(isEnabled() ? theme.text : theme.disabled);
    const QString text =
        fontMetrics().elidedText(currentText(), Qt::ElideRight, room.width() - remarkWidth());
    painter.drawText(room, Qt::AlignLeft | Qt::AlignVCenter, text);
    if (!m_remark.isEmpty()) {
        room.setLeft(room.left() + fontMetrics().horizontalAdvance(text) + sidePadding);
        painter.setFont(textFont(TextSize::Small));
        painter.setPen(isEnabled() ? theme.text3 : theme.disabled);
        painter.drawText(room, Qt::AlignLeft | Qt::AlignVCenter, m_remark);
    }
    const QRect arrow(width() - arrowWidth + 2, (height() - 16) / 2, 16, 16);
    icon(u"chevron-down"_s)
        .paint(&painter, arrow, Qt::AlignCenter, isEnabled() ? QIcon::Normal : QIcon::Disabled);
}

void ComboBox::wheelEvent(QWheelEvent *event)
{
    if (hasFocus())
        QComboBox::wheelEvent(event);
    else
        event->ignore();
}

} // namespace proclab
