// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/painted_texts.h"

#include <QFontMetricsF>
#include <QPaintDevice>
#include <QPaintEngine>
#include <QPainterPath>
#include <QWidget>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <qcustomplot.h>

namespace proclab::test {

namespace {

/// Keeps texts, and what is painted over them; paints nothing.
class TextEngine final : public QPaintEngine
{
public:
    explicit TextEngine(const QRectF &area) : QPaintEngine(AllFeatures), m_area(area), m_clip(area)
    {}

    bool begin(QPaintDevice *) override { return true; }
    bool end() override { return true; }
    [[nodiscard]] Type type() const override { return User; }

    void updateState(const QPaintEngineState &now) override
    {
        const DirtyFlags dirty = now.state();
        if (dirty & DirtyTransform)
            m_transform = now.transform();
        if (dirty & DirtyOpacity)
            m_opacity = now.opacity();
        if (dirty & DirtyBrush)
            m_brush = now.brush();
        if (dirty & DirtyClipEnabled)
            m_isClipping = now.isClipEnabled();
        if (dirty & DirtyClipRegion)
            clip(m_transform.mapRect(QRectF(now.clipRegion().boundingRect())), now.clipOperation());
        if (dirty & DirtyClipPath)
            clip(m_transform.mapRect(now.clipPath().boundingRect()), now.clipOperation());
    }
    void drawTextItem(const QPointF &at, const QTextItem &item) override
    {
        if (item.text().trimmed().isEmpty() && m_texts.isEmpty())
            return;
        constexpr double kerning = 1.5; // Digits may be drawn one by one.
        const QFontMetricsF metrics(item.font());
        const QPointF baseline = m_transform.map(at);
        const QRectF ink =
            m_transform.mapRect(metrics.tightBoundingRect(item.text()).translated(at));
        const bool goesOn = !m_texts.isEmpty() && std::abs(m_end.y() - baseline.y()) < 0.5 &&
                            std::abs(m_end.x() - baseline.x()) < kerning;
        m_end = m_transform.map(at + QPointF(metrics.horizontalAdvance(item.text()), 0));
        if (goesOn) {
            m_texts.last().text += item.text();
            m_texts.last().ink |= ink;
        } else if (!item.text().trimmed().isEmpty()) {
            m_texts.append({item.text(), baseline, ink, clipped(), {}});
        }
    }
    void drawPath(const QPainterPath &path) override { fill(path.boundingRect()); }
    void drawPolygon(const QPointF *points, int count, PolygonDrawMode mode) override
    {
        if (mode == PolylineMode)
            return;
        QPolygonF polygon;
        for (int i = 0; i < count; ++i)
            polygon.append(points[i]);
        fill(polygon.boundingRect());
    }
    void drawPolygon(const QPoint *, int, PolygonDrawMode) override {}
    void drawLines(const QLineF *, int) override {}
    void drawLines(const QLine *, int) override {}
    void drawPoints(const QPointF *, int) override {}
    void drawPoints(const QPoint *, int) override {}
    void drawEllipse(const QRectF &) override {}
    void drawEllipse(const QRect &) override {}
    void drawPixmap(const QRectF &, const QPixmap &, const QRectF &) override {}
    void drawImage(const QRectF &, const QImage &, const QRectF &,
                   Qt::ImageConversionFlags) override
    {}
    void drawTiledPixmap(const QRectF &, const QPixmap &, const QPointF &) override {}

    [[nodiscard]] QList<PaintedText> texts() const { return m_texts; }

private:
    [[nodiscard]] QRectF clipped() const { return m_isClipping ? m_clip : m_area; }
    void clip(const QRectF &part, Qt::ClipOperation operation)
    {
        m_isClipping = operation != Qt::NoClip;
        if (operation == Qt::NoClip)
            m_clip = m_area;
        else
            m_clip = (operation == Qt::ReplaceClip ? m_area : m_clip).intersected(part);
    }
    void fill(const QRectF &shape)
    {
        constexpr double smallest = 4; // Lines may cross a text.
        const QRectF covered = m_transform.mapRect(shape).intersected(clipped());
        if (m_brush.style() != Qt::SolidPattern || m_brush.color().alpha() < 255 || m_opacity < 1 ||
            covered.width() < smallest || covered.height() < smallest)
            return;
        m_texts.removeIf([&](const PaintedText &text) { return covered.contains(text.ink); });
        for (PaintedText &text : m_texts) {
            const QRectF common = text.ink.intersected(covered);
            if (common.width() > 1 && common.height() > 1)
                text.coveredBy = covered;
        }
        m_end = {};
    }

    const QRectF m_area;
    QRectF m_clip;
    bool m_isClipping = false;
    QTransform m_transform;
    QBrush m_brush;
    double m_opacity = 1;
    QPointF m_end; // Of the last text, on its baseline.
    QList<PaintedText> m_texts;
};

class TextDevice final : public QPaintDevice
{
public:
    explicit TextDevice(QSize size) : m_size(size), m_engine(QRectF(QPointF(), size)) {}

    [[nodiscard]] QPaintEngine *paintEngine() const override { return &m_engine; }
    [[nodiscard]] QList<PaintedText> texts() const { return m_engine.texts(); }

protected:
    [[nodiscard]] int metric(PaintDeviceMetric metric) const override
    {
        constexpr int dotsPerInch = 96;
        switch (metric) {
        case PdmWidth:
            return m_size.width();
        case PdmHeight:
            return m_size.height();
        case PdmDpiX:
        case PdmDpiY:
        case PdmPhysicalDpiX:
        case PdmPhysicalDpiY:
            return dotsPerInch;
        case PdmWidthMM:
            return m_size.width() * 254 / (10 * dotsPerInch);
        case PdmHeightMM:
            return m_size.height() * 254 / (10 * dotsPerInch);
        case PdmNumColors:
            return 1 << 24;
        case PdmDepth:
            return 32;
        case PdmDevicePixelRatio:
            return 1;
        case PdmDevicePixelRatioScaled:
            return static_cast<int>(devicePixelRatioFScale());
        }
        return 0;
    }

private:
    const QSize m_size;
    mutable TextEngine m_engine;
};

} // namespace

QList<PaintedText> paintedTexts(QWidget &widget)
{
    TextDevice device(widget.size());
    widget.render(&device, QPoint(), QRegion(), QWidget::RenderFlags());
    return device.texts();
}

QList<PaintedText> textsIn(const QList<PaintedText> &texts, const QRectF &area)
{
    QList<PaintedText> found;
    std::ranges::copy_if(texts, std::back_inserter(found),
                         [&area](const PaintedText &text) { return area.contains(text.at); });
    return found;
}

QStringList wordsOf(const QList<PaintedText> &texts)
{
    QStringList words;
    for (const PaintedText &text : texts)
        words.append(text.text);
    return words;
}

QList<PaintedText> plotTexts(const QWidget &chart)
{
    auto *plot = chart.findChild<QCustomPlot *>();
    if (!plot || !plot->isVisible())
        return {};
    TextDevice device(plot->size());
    QCPPainter painter(&device);
    plot->toPainter(&painter, plot->width(), plot->height());
    painter.end();
    return device.texts();
}

} // namespace proclab::test
