// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/nav_rail.h"

#include "ui/shared/icon.h"
#include "ui/shared/theme.h"
#include "ui/shell/machine_meter.h"

#include <QButtonGroup>
#include <QEvent>
#include <QLabel>
#include <QPainter>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

#include <optional>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int itemHeight = 32;
constexpr int lowestItem = 20; // In a low window.
constexpr int groupHeadHeight = 36;
constexpr int iconEdge = 16;
constexpr int railHeadHeight = 56;
constexpr int sideMargin = 8;
constexpr int meterNeedsHeight = 520; // All the pages above it.

QString groupTitle(PageInfo::Group group)
{
    switch (group) {
    case PageInfo::Group::Learn:
        return NavRail::tr("Learn");
    case PageInfo::Group::Lab:
        return NavRail::tr("Lab");
    case PageInfo::Group::Observe:
        return NavRail::tr("Observe");
    }
    return {};
}

} // namespace

NavButton::NavButton(const PageInfo &page, QWidget *parent)
    : QAbstractButton(parent)
    , m_iconName(page.name)
    , m_title(page.title)
    , m_subtitle(page.subtitle)
{
    setCheckable(true);
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(page.title);
    setAccessibleDescription(page.subtitle);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Maximum);
}

void NavButton::setCompact(bool compact)
{
    m_compact = compact;
    setToolTip(compact ? QString(m_title % u'\n' % m_subtitle) : m_subtitle);
    updateGeometry();
    update();
}

void NavButton::setRunning(bool running)
{
    if (running == m_running)
        return;
    m_running = running;
    setAccessibleName(running ? tr("%1, running").arg(m_title) : m_title);
    update();
}

QSize NavButton::sizeHint() const
{
    return {m_compact ? NavRail::compactWidth : NavRail::fullWidth, itemHeight};
}

QSize NavButton::minimumSizeHint() const
{
    return {sizeHint().width(), lowestItem};
}

void NavButton::enterEvent(QEnterEvent *event)
{
    QAbstractButton::enterEvent(event);
    update();
}

void NavButton::leaveEvent(QEvent *event)
{
    QAbstractButton::leaveEvent(event);
    update();
}

void NavButton::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(rect()).adjusted(sideMargin, 0.5, -sideMargin, -0.5);
    painter.setPen(Qt::NoPen);
    if (isChecked() || underMouse()) {
        painter.setBrush(theme.hover);
        painter.drawRoundedRect(box, 6, 6);
    }
    if (isChecked()) {
        painter.setBrush(theme.accent);
        painter.drawRoundedRect(QRectF(-2, 6, 5, height() - 12), 2, 2);
    }
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.accent, 2));
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6);
    }
    const int left = m_compact ? (width() - iconEdge) / 2 : 16;
    proclab::icon(m_iconName, isChecked() ? IconTone::Accent : IconTone::Text2)
        .paint(&painter, QRect(left, (height() - iconEdge) / 2, iconEdge, iconEdge));
    if (m_running) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.ok);
        const QPointF centre =
            m_compact ? QPointF(width() - 13, 9) : QPointF(width() - 21, height() / 2.0);
        painter.drawEllipse(centre, 4, 4);
    }
    if (m_compact)
        return;
    painter.setFont(textFont(TextSize::Body, QFont::Medium));
    painter.setPen(isChecked() ? theme.text : theme.text2);
    painter.drawText(rect().adjusted(40, 0, -32, 0), Qt::AlignLeft | Qt::AlignVCenter, m_title);
}

NavRail::NavRail(const QList<PageInfo> &pages, QWidget *parent) : QWidget(parent)
{
    setProperty("role", u"rail"_s);
    setAttribute(Qt::WA_StyledBackground);
    setAccessibleName(tr("Pages"));
    auto *rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 1, 0);
    rows->setSpacing(0);
    rows->addWidget(makeHead());

    // Where the window is low the pages scroll.
    auto *list = new QWidget(this);
    list->setProperty("role", u"rail-list"_s);
    auto *area = new QScrollArea(this);
    area->setWidget(list);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFocusPolicy(Qt::NoFocus);
    auto *entries = new QVBoxLayout(list);
    entries->setContentsMargins(0, 0, 0, 0);
    entries->setSpacing(0);
    rows->addWidget(area, 1);

    auto *buttons = new QButtonGroup(this);
    std::optional<PageInfo::Group> group;
    for (const PageInfo &page : pages) {
        if (group != page.group) {
            addGroup(entries, groupTitle(page.group));
            group = page.group;
        }
        auto *button = new NavButton(page, this);
        buttons->addButton(button);
        entries->addWidget(button);
        m_buttons[page.name] = button;
        const QString name = page.name;
        connect(button, &QAbstractButton::clicked, this,
                [this, name] { Q_EMIT pageRequested(name); });
    }
    entries->addStretch(1);
    m_machine = new MachineMeter(this);
    rows->addWidget(m_machine);
    setCompact(false);
}

QWidget *NavRail::makeHead()
{
    auto *head = new QWidget(this);
    head->setFixedHeight(railHeadHeight);
    m_logo = new QLabel(head);
    m_name = new QLabel(tr("ProcLab"), head);
    m_name->setFont(textFont(TextSize::Title, QFont::DemiBold));
    m_collapse = new QToolButton(head);
    m_collapse->setIcon(icon(u"sidebar"_s));
    m_collapse->setAccessibleName(tr("Collapse or widen the rail"));
    m_collapse->setToolTip(tr("Collapse or widen the rail (Ctrl+B)"));
    m_collapse->setFocusPolicy(Qt::TabFocus);
    connect(m_collapse, &QToolButton::clicked, this, &NavRail::collapseRequested);
    m_headRow = new QHBoxLayout(head);
    m_headRow->setSpacing(10);
    m_headRow->addWidget(m_logo);
    m_headRow->addWidget(m_name, 1);
    m_headRow->addWidget(m_collapse);
    updateLogo();
    return head;
}

void NavRail::addGroup(QVBoxLayout *rows, const QString &title)
{
    auto *box = new QWidget(this);
    auto *row = new QVBoxLayout(box);
    row->setContentsMargins(16, 12, 0, 0);
    auto *head = new QLabel(title.toUpper(), box);
    QFont font = textFont(TextSize::Caption, QFont::DemiBold);
    font.setLetterSpacing(QFont::AbsoluteSpacing, 0.4);
    head->setFont(font);
    head->setProperty("tone", u"text3"_s);
    row->addWidget(head);
    rows->addWidget(box);
    m_groupHeads << head;
}

void NavRail::setCompact(bool compact)
{
    m_compact = compact;
    setFixedWidth(compact ? compactWidth : fullWidth);
    m_headRow->setContentsMargins(compact ? 10 : 16, 0, compact ? 10 : 12, 0);
    m_logo->setVisible(!compact);
    m_name->setVisible(!compact);
    for (QLabel *head : std::as_const(m_groupHeads)) {
        // A gap stays between the groups.
        head->parentWidget()->setFixedHeight(compact ? groupHeadHeight / 4 : groupHeadHeight);
        head->setVisible(!compact);
    }
    for (const auto &[name, button] : m_buttons)
        button->setCompact(compact);
    m_machine->setCompact(compact);
}

void NavRail::setCurrentPage(const QString &name)
{
    const auto found = m_buttons.find(name);
    if (found != m_buttons.end())
        found->second->setChecked(true);
}

void NavRail::setRunning(const QString &page, bool running)
{
    const auto found = m_buttons.find(page);
    if (found != m_buttons.end())
        found->second->setRunning(running);
}

void NavRail::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    m_machine->setVisible(height() >= meterNeedsHeight);
}

void NavRail::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        updateLogo();
    QWidget::changeEvent(event);
}

void NavRail::updateLogo()
{
    if (m_logo != nullptr)
        m_logo->setPixmap(iconPixmap(u"logo"_s, IconTone::Text, 20, devicePixelRatioF()));
}

} // namespace proclab
