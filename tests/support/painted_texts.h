// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QRectF>
#include <QStringList>

class QWidget;

namespace proclab::test {

/// A line of text as a widget paints it, in the widget's logical pixels.
struct PaintedText
{
    QString text;
    QPointF at;       ///< Its beginning, on the base line.
    QRectF ink;       ///< What its letters cover.
    QRectF clip;      ///< Where it may be seen.
    QRectF coveredBy; ///< What was painted over a part of it; null: nothing.
};

/// What @p widget paints by itself, without its children, in the order of painting. What was
/// painted over as a whole is left out.
[[nodiscard]] QList<PaintedText> paintedTexts(QWidget &widget);

/// The same of the plot of a chart, a child of @p chart, in the plot's pixels; empty: has none.
[[nodiscard]] QList<PaintedText> plotTexts(const QWidget &chart);

/// Those of @p texts that begin in @p area.
[[nodiscard]] QList<PaintedText> textsIn(const QList<PaintedText> &texts, const QRectF &area);
[[nodiscard]] QStringList wordsOf(const QList<PaintedText> &texts);

} // namespace proclab::test
