// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QWidget;

namespace proclab {

struct Theme;

/// The one stylesheet of the window, made from the roles of @p theme. Widgets pick their look by
/// dynamic properties: `role` (what a button, pane or label is), `tone` (a colour of the theme for
/// a label), `state` ("error", "edited" or "warning" on a field).
[[nodiscard]] QString styleSheet(const Theme &theme);

/// Sets the dynamic property @p name of @p widget and has its look made anew where it changed.
void setStyleProperty(QWidget *widget, const char *name, const QString &value);

} // namespace proclab
