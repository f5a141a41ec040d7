// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>

class QWidget;

namespace proclab {

/// What the Tab key reaches in @p pane, as one reads it: in the order of its layouts, or by place
/// where a widget has none. What is hidden is left out.
[[nodiscard]] QList<QWidget *> tabStopsOf(QWidget *pane);

/// Lets the Tab key go through @p panes of one window, one after the other.
void orderTabs(const QList<QWidget *> &panes);

} // namespace proclab
