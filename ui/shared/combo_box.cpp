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

QSize ComboBox::sizeHint() const
{
    return QComboBox::sizeHint() + QSize(captionWidth(), 0);
}

QSize ComboBox::minimumSizeHint() const
{
    return {captionWidth() + 64, QComboBox::minimumSizeHint().height()};
}

int ComboBox::captionWidth() const
{
    if (m_caption.isEmpty())
        return 0;
    return QFontMetrics(textFont(TextSize::Small)).horizontalAdvance(m_caption) + sidePadding;
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
    painter.drawText(room, Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(currentText(), Qt::ElideRight, room.width()));
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
