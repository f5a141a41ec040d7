// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/tab_order.h"

#include <QLayout>
#include <QWidget>

#include <algorithm>

namespace proclab {

namespace {

void addStops(QWidget *widget, QList<QWidget *> &stops);

void addStops(const QLayout *layout, QList<QWidget *> &stops)
{
    for (int i = 0; i < layout->count(); ++i) {
        QLayoutItem *item = layout->itemAt(i);
        if (item->widget())
            addStops(item->widget(), stops);
        else if (item->layout())
            addStops(item->layout(), stops);
    }
}

/// For widgets that place their children themselves.
void addStopsByPlace(const QWidget *widget, QList<QWidget *> &stops)
{
    auto children = widget->findChildren<QWidget *>(Qt::FindDirectChildrenOnly);
    std::stable_sort(children.begin(), children.end(), [](const QWidget *a, const QWidget *b) {
        return a->y() != b->y() ? a->y() < b->y() : a->x() < b->x();
    });
    for (QWidget *child : std::as_const(children))
        addStops(child, stops);
}

void addStops(QWidget *widget, QList<QWidget *> &stops)
{
    if (widget->isHidden() || widget->isWindow())
        return;
    const bool isStop = (widget->focusPolicy() & Qt::TabFocus) != 0;
    if (isStop)
        stops << widget;
    // Of most stops, what is in them belongs to them.
    if (isStop && !widget->property("holdsTabStops").toBool())
        return;
    if (widget->layout())
        addStops(widget->layout(), stops);
    else
        addStopsByPlace(widget, stops);
}

} // namespace

QList<QWidget *> tabStopsOf(QWidget *pane)
{
    QList<QWidget *> stops;
    addStops(pane, stops);
    return stops;
}

void orderTabs(const QList<QWidget *> &panes)
{
    QList<QWidget *> stops;
    for (QWidget *pane : panes)
        stops << tabStopsOf(pane);
    for (qsizetype i = 1; i < stops.size(); ++i)
        QWidget::setTabOrder(stops[i - 1], stops[i]);
}

} // namespace proclab
