// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPaintDevice>
#include <QPaintEngine>
#include <QPainter>
#include <QRectF>
#include <QStringList>
#include <QTransform>
#include <QWidget>

#include <algorithm>
#include <cmath>

namespace proclab::test {

/// A text as it was painted: its base line at the left, and how wide it is.
struct PaintedText
{
    QString text;
    QPointF at;
    double width = 0;
    double size = 0; ///< Of its font, in pixels.

    [[nodiscard]] double right() const { return at.x() + width; }
};

/// Keeps the texts that are painted and draws nothing. Parts of a line that touch each other, such
/// as digits that are drawn one by one, are one text.
class TextEngine final : public QPaintEngine
{
public:
    TextEngine() : QPaintEngine(AllFeatures) {}

    bool begin(QPaintDevice *) override { return true; }
    bool end() override { return true; }
    void updateState(const QPaintEngineState &) override {}
    void drawPixmap(const QRectF &, const QPixmap &, const QRectF &) override {}
    void drawPath(const QPainterPath &) override {}
    void drawPolygon(const QPointF *, int, PolygonDrawMode) override {}
    [[nodiscard]] Type type() const override { return User; }

    void drawTextItem(const QPointF &position, const QTextItem &item) override
    {
        const QPointF at = painter()->deviceTransform().map(position);
        const double size = QFontInfo(item.font()).pixelSize();
        if (!texts.isEmpty() && touches(texts.last(), at, size)) {
            texts.last().text += item.text();
            texts.last().width = at.x() + item.width() - texts.last().at.x();
            return;
        }
        texts.append({item.text(), at, item.width(), size});
    }

    QList<PaintedText> texts;

private:
    static bool touches(const PaintedText &before, const QPointF &at, double size)
    {
        // The blank at the end of a part is no part of its width.
        const double blank = before.text.back().isSpace() ? size : 0;
        const double gap = at.x() - before.right();
        return before.size == size && std::abs(before.at.y() - at.y()) < 0.01 && gap > -1.5 &&
               gap < 1.5 + blank;
    }
};

class TextDevice final : public QPaintDevice
{
public:
    explicit TextDevice(QSize size) : m_size(size) {}

    [[nodiscard]] QPaintEngine *paintEngine() const override { return &m_engine; }
    [[nodiscard]] const QList<PaintedText> &texts() const { return m_engine.texts; }

protected:
    [[nodiscard]] int metric(PaintDeviceMetric metric) const override
    {
        switch (metric) {
        case PdmWidth:
            return m_size.width();
        case PdmHeight:
            return m_size.height();
        case PdmDepth:
            return 32;
        case PdmNumColors:
            return 1 << 24;
        case PdmDpiX:
        case PdmDpiY:
        case PdmPhysicalDpiX:
        case PdmPhysicalDpiY:
            return 96;
        case PdmDevicePixelRatio:
            return 1;
        case PdmDevicePixelRatioScaled:
            return static_cast<int>(devicePixelRatioFScale());
        default:
            return QPaintDevice::metric(metric);
        }
    }

private:
    QSize m_size;
    mutable TextEngine m_engine;
};

/// What @p widget paints now, in its own coordinates.
inline QList<PaintedText> paintedTexts(QWidget &widget)
{
    TextDevice device(widget.size());
    widget.render(&device);
    return device.texts();
}

/// Those of @p texts that begin in @p area.
inline QList<PaintedText> textsIn(const QList<PaintedText> &texts, const QRectF &area)
{
    QList<PaintedText> found;
    for (const PaintedText &text : texts) {
        if (area.contains(text.at))
            found.append(text);
    }
    return found;
}

inline QStringList wordsOf(const QList<PaintedText> &texts)
{
    QStringList words;
    for (const PaintedText &text : texts)
        words.append(text.text);
    return words;
}

} // namespace proclab::test
