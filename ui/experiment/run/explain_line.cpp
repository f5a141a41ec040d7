// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/explain_line.h"

#include "ui/shared/icon.h"
#include "ui/shared/theme.h"

#include <QEvent>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int markSize = 16;
constexpr int focusWidth = 2;

QLabel *wordLabel(const QString &text, TextSize size, QWidget *parent)
{
    auto *label = new QLabel(text, parent);
    label->setFont(textFont(size));
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setAttribute(Qt::WA_TransparentForMouseEvents);
    return label;
}

} // namespace

ExplainLine::ExplainLine(const QString &sentences, const QString &where, bool isWarning,
                         QWidget *parent)
    : QAbstractButton(parent)
    , m_isWarning(isWarning)
    , m_icon(new QLabel(this))
{
    setFocusPolicy(Qt::StrongFocus);
    setAttribute(Qt::WA_Hover);
    setCursor(Qt::PointingHandCursor);
    setAccessibleName(isWarning ? tr("Warning: %1").arg(sentences) : sentences);
    setAccessibleDescription(where);
    setToolTip(tr("Show it on the timeline (Enter)"));
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    m_icon->setFixedSize(markSize, markSize);
    m_icon->setAttribute(Qt::WA_TransparentForMouseEvents);
    QLabel *place = wordLabel(where, TextSize::Small, this);
    place->setProperty("tone", u"text2"_s);
    auto *grid = new QGridLayout(this);
    grid->setContentsMargins(8, 6, 8, 6);
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(2);
    grid->addWidget(m_icon, 0, 0, Qt::AlignTop);
    grid->addWidget(wordLabel(sentences, TextSize::Body, this), 0, 1);
    grid->addWidget(place, 1, 1);
    grid->setColumnStretch(1, 1);
    updateIcon();
}

void ExplainLine::updateIcon()
{
    m_icon->setPixmap(iconPixmap(m_isWarning ? u"warning"_s : u"info"_s,
                                 m_isWarning ? IconTone::Warn : IconTone::Text2, markSize,
                                 devicePixelRatioF()));
}

void ExplainLine::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        updateIcon();
    QAbstractButton::changeEvent(event);
}

void ExplainLine::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
        click();
    else
        QAbstractButton::keyPressEvent(event);
}

void ExplainLine::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    if (isDown() || underMouse())
        painter.fillRect(rect(), isDown() ? theme.sunken : theme.hover);
    if (hasFocus()) {
        painter.setPen(QPen(theme.accent, focusWidth));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

} // namespace proclab
