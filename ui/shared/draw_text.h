// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QFont>
#include <QPainter>
#include <QRectF>
#include <QString>

namespace proclab {

/// A line of text in @p rect, shortened with an ellipsis where it does not fit; its width as drawn.
/// Words that were drawn lately are not shaped again, and digits never, so that texts cost little
/// in views that are painted many times a second. For the window's thread.
double drawText(QPainter &painter, const QRectF &rect, Qt::Alignment alignment, const QString &text,
                const QFont &font, const QColor &color);

/// Whether what @p painter draws becomes pixels at once, as in a window. For other devices, such as
/// a file to print, views paint all of it anew: in a picture that they keep, texts are pixels too.
[[nodiscard]] bool drawsPixels(const QPainter &painter);

/// How wide @p text is, in logical pixels; remembered as by drawText().
[[nodiscard]] double textWidth(const QString &text, const QFont &font);

/// The largest of the small fonts in which @p text fits into @p width, or the smallest.
[[nodiscard]] QFont fittingFont(const QString &text, double width);

} // namespace proclab
