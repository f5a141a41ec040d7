// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/accessible_items.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <QList>
#include <QWidget>

namespace proclab {

namespace {

/// One item; it outlives neither its widget nor the widget's interface.
class ItemInterface final : public QAccessibleInterface
{
public:
    ItemInterface(QWidget *widget, const AccessibleItems *items, int item)
        : m_widget(widget)
        , m_items(items)
        , m_item(item)
    {}

    bool isValid() const override { return m_item < m_items->itemCount(); }
    QObject *object() const override { return nullptr; }
    QWindow *window() const override { return m_widget->window()->windowHandle(); }
    QAccessibleInterface *parent() const override
    {
        return QAccessible::queryAccessibleInterface(m_widget);
    }
    QAccessibleInterface *child(int) const override { return nullptr; }
    QAccessibleInterface *childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface *) const override { return -1; }
    QAccessible::Role role() const override { return QAccessible::ListItem; }
    void setText(QAccessible::Text, const QString &) override {}

    QString text(QAccessible::Text text) const override
    {
        if (!isValid())
            return {};
        if (text == QAccessible::Name)
            return m_items->itemName(m_item);
        return text == QAccessible::Value ? m_items->itemValue(m_item) : QString();
    }

    QRect rect() const override
    {
        if (!isValid())
            return {};
        const QRect rect = m_items->itemRect(m_item);
        return {m_widget->mapToGlobal(rect.topLeft()), rect.size()};
    }

    QAccessible::State state() const override
    {
        QAccessible::State state;
        state.selectable = true;
        state.focusable = true;
        state.selected = m_items->currentItem() == m_item;
        state.focused = state.selected && m_widget->hasFocus();
        return state;
    }

private:
    QWidget *m_widget;
    const AccessibleItems *m_items;
    int m_item;
};

class ItemsInterface final : public QAccessibleWidget
{
public:
    ItemsInterface(QWidget *widget, const AccessibleItems *items)
        : QAccessibleWidget(widget, QAccessible::List)
        , m_items(items)
    {}
    ~ItemsInterface() override
    {
        for (const QAccessible::Id id : std::as_const(m_ids))
            QAccessible::deleteAccessibleInterface(id);
    }

    int childCount() const override { return m_items->itemCount(); }
    QAccessibleInterface *child(int item) const override
    {
        if (item < 0 || item >= m_items->itemCount())
            return nullptr;
        while (m_ids.size() <= item) {
            const auto next = static_cast<int>(m_ids.size());
            m_ids.append(QAccessible::registerAccessibleInterface(
                new ItemInterface(widget(), m_items, next)));
        }
        return QAccessible::accessibleInterface(m_ids[item]);
    }
    int indexOfChild(const QAccessibleInterface *child) const override
    {
        return static_cast<int>(
            m_ids.indexOf(QAccessible::uniqueId(const_cast<QAccessibleInterface *>(child))));
    }
    QAccessibleInterface *childAt(int x, int y) const override
    {
        const QPoint at = widget()->mapFromGlobal(QPoint(x, y));
        for (int item = 0; item < m_items->itemCount(); ++item) {
            if (m_items->itemRect(item).contains(at))
                return child(item);
        }
        return nullptr;
    }
    QAccessibleInterface *focusChild() const override
    {
        return widget()->hasFocus() ? child(m_items->currentItem()) : nullptr;
    }

private:
    const AccessibleItems *m_items;
    mutable QList<QAccessible::Id> m_ids; // Made when first asked for.
};

QAccessibleInterface *makeInterface(const QString &, QObject *object)
{
    auto *widget = qobject_cast<QWidget *>(object);
    const auto *items = dynamic_cast<const AccessibleItems *>(object);
    return widget && items ? new ItemsInterface(widget, items) : nullptr;
}

} // namespace

void enableAccessibleItems()
{
    static const bool installed = [] {
        QAccessible::installFactory(makeInterface);
        return true;
    }();
    Q_UNUSED(installed);
}

void announceCurrentItem(QWidget *widget, int item)
{
    if (!QAccessible::isActive() || item < 0)
        return;
    QAccessibleEvent event(widget, QAccessible::Focus);
    event.setChild(item);
    QAccessible::updateAccessibility(&event);
}

} // namespace proclab
