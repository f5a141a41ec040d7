// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/banner.h"

#include "ui/shared/icon.h"
#include "ui/shared/style_sheet.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QEvent>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

using namespace Qt::StringLiterals;

namespace proclab {

Banner::Banner(QWidget *parent)
    : QFrame(parent)
    , m_icon(new QLabel(this))
    , m_title(new QLabel(this))
    , m_detail(new QLabel(this))
    , m_action(new QPushButton(this))
    , m_close(new QToolButton(this))
{
    setProperty("role", u"banner"_s);
    m_title->setFont(textFont(TextSize::Body, QFont::DemiBold));
    m_title->setWordWrap(true);
    m_title->setTextFormat(Qt::PlainText);
    m_title->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_detail->setFont(textFont(TextSize::Small));
    m_detail->setWordWrap(true);
    m_detail->setTextFormat(Qt::PlainText);
    m_detail->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_detail->setProperty("tone", u"text2"_s);
    m_action->setProperty("role", u"small"_s);
    m_action->setFont(textFont(TextSize::Small));
    m_action->hide();
    m_close->setIcon(icon(u"close"_s));
    m_close->setAccessibleName(tr("Close this message"));
    m_close->setToolTip(tr("Close this message"));

    auto *texts = new QVBoxLayout;
    texts->setSpacing(0);
    texts->addWidget(m_title);
    texts->addWidget(m_detail);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(12, 6, 8, 6);
    row->setSpacing(12);
    row->addWidget(m_icon);
    row->addLayout(texts, 1);
    row->addWidget(m_action);
    row->addWidget(m_close);

    connect(m_action, &QPushButton::clicked, this, &Banner::actionRequested);
    connect(m_close, &QToolButton::clicked, this, [this] {
        hide();
        Q_EMIT closed();
    });
    hide();
}

void Banner::showMessage(Tone tone, const QString &title, const QString &detail)
{
    m_tone = tone;
    m_title->setText(title);
    m_detail->setText(detail);
    m_detail->setVisible(!detail.isEmpty());
    setAction({});
    setAccessibleName(title);
    setAccessibleDescription(detail);
    const QString states[] = {u"info"_s, u"ok"_s, u"warning"_s, u"error"_s};
    setStyleProperty(this, "state", states[static_cast<int>(tone)]);
    updateIcon();
    show();
}

void Banner::setAction(const QString &text)
{
    m_action->setText(text);
    m_action->setVisible(!text.isEmpty());
}

QString Banner::title() const
{
    return m_title->text();
}

QString Banner::detail() const
{
    return m_detail->text();
}

void Banner::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::StyleChange)
        updateIcon();
    QFrame::changeEvent(event);
}

void Banner::updateIcon()
{
    struct Look
    {
        QString name;
        IconTone tone;
    };
    const Look looks[] = {{u"info"_s, IconTone::Text2},
                          {u"done"_s, IconTone::Ok},
                          {u"warning"_s, IconTone::Warn},
                          {u"error"_s, IconTone::Crash}};
    const Look &look = looks[static_cast<int>(m_tone)];
    m_icon->setPixmap(iconPixmap(look.name, look.tone, 16, devicePixelRatioF()));
}

} // namespace proclab
