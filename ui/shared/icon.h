// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QIcon>
#include <QString>

namespace proclab {

/// The colours that an icon can take; read from the theme each time it is painted.
enum class IconTone { Text, Text2, Text3, Accent, OnAccent, Ok, Warn, Crash };

/// The icon @p name of resources/icons ("play"), drawn in @p tone of the theme of that moment
/// (disabled in the disabled colour), sharp at any size. `currentColor` in the file is that tone,
/// `process0` and so on are colours of the process palette.
[[nodiscard]] QIcon icon(const QString &name, IconTone tone = IconTone::Text2);

/// The same at once as a picture of @p size logical pixels, for labels; it does not follow the
/// theme.
[[nodiscard]] QPixmap iconPixmap(const QString &name, IconTone tone, int size,
                                 qreal devicePixelRatio);

} // namespace proclab
