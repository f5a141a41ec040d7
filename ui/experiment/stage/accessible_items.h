// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRect>
#include <QString>

class QWidget;

namespace proclab {

/// A widget that paints a list of things (cards, lanes) which a screen reader can walk. A QWidget
/// that also inherits this has an accessible child for each, once enableAccessibleItems() was
/// called.
class AccessibleItems
{
public:
    virtual ~AccessibleItems() = default;

    [[nodiscard]] virtual int itemCount() const = 0;
    /// "Worker 3, crashed in task 12"
    [[nodiscard]] virtual QString itemName(int item) const = 0;
    [[nodiscard]] virtual QString itemValue(int item) const = 0;
    /// In the widget's coordinates.
    [[nodiscard]] virtual QRect itemRect(int item) const = 0;
    /// The selected item; -1: none.
    [[nodiscard]] virtual int currentItem() const = 0;
};

/// Makes the items of all such widgets known to screen readers; call it before the first is shown.
void enableAccessibleItems();
/// Tells screen readers that @p widget's current item has changed to @p item.
void announceCurrentItem(QWidget *widget, int item);

} // namespace proclab
