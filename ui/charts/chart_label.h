// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSizeF>

class QColor;
class QCPItemText;
class QCustomPlot;

namespace proclab {

/// A label above the lines of @p plot, which owns it, on a halo of the panel's colour.
[[nodiscard]] QCPItemText *makeLabel(QCustomPlot *plot);
void styleLabel(QCPItemText *label, const QColor &color);
/// In pixels.
[[nodiscard]] QSizeF labelSize(const QCPItemText *label);

} // namespace proclab
