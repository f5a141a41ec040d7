// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/number_text.h"
#include "core/base/quantity_text.h"

#include <QBrush>
#include <QColor>
#include <QFont>
#include <QPalette>
#include <QString>

class QApplication;

namespace proclab {

/// The colours, fonts and distances of the window: the only place where a colour's number stands.
/// Painters, charts and the stylesheet read it. GUI thread only.
struct Theme
{
    enum class Mode { System, Light, Dark };

    bool dark = false;
    QColor window, panel, raised, hover, sunken, border, borderStrong, field;
    QColor text, text2, text3, disabled;
    QColor accent, accentFill, accentTint, onAccent;
    QColor ok, okTint, warn, warnTint, full, fullTint, crash, crashTint;
    QColor idle, grid, axis, parent;

    /// The colour of the process that was started as number @p colorIndex (from 0); below 0: the
    /// parent's. Past 12 it starts again.
    [[nodiscard]] QColor process(int colorIndex) const;
    /// Text on that colour.
    [[nodiscard]] QColor onProcess(int colorIndex) const;
    /// @p color at @p share of its opacity, over panel: an opaque mix.
    [[nodiscard]] QColor tint(const QColor &color, double share) const;

    enum class Hatch { ReadyToRun, WaitingForLock, BlockedOnFull, Crashed };
    /// A brush of 6 × 6 stripes in @p color; set the painter's brush origin to the lane so that it
    /// stands still.
    [[nodiscard]] QBrush hatch(Hatch hatch, const QColor &color, qreal devicePixelRatio) const;

    /// The theme that is applied now.
    [[nodiscard]] static const Theme &current();
    /// Applies palette, fonts and stylesheet to @p application; widgets hear of it by
    /// QEvent::PaletteChange.
    static void apply(QApplication &application, Mode mode);
    [[nodiscard]] static Mode mode();
};

/// Fonts of the design: sizes in pixels at the 13 px base, scaled with the system's font size.
enum class TextSize { Tick, Caption, Small, Body, Title, Result };
[[nodiscard]] QFont textFont(TextSize size, QFont::Weight weight = QFont::Normal);
/// The fixed-width face, for PIDs, code and numbers that change.
[[nodiscard]] QFont monoFont(TextSize size, QFont::Weight weight = QFont::Normal);

} // namespace proclab
