// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/draw_text.h"

#include "ui/shared/theme.h"

#include <QCache>
#include <QFontMetricsF>
#include <QHash>
#include <QPaintEngine>
#include <QStaticText>

#include <algorithm>
#include <array>
#include <memory>

namespace proclab {

namespace {

constexpr qsizetype piecesKept = 1'000; // Of each font.

/// A part of a line, ready to be drawn.
struct Piece
{
    QStaticText text;
    double width = 0;

    Piece(const QString &part, const QFont &font) : text(part)
    {
        text.setTextFormat(Qt::PlainText);
        text.prepare({}, font);
        width = text.size().width();
    }
};

bool isDigit(QChar letter)
{
    return letter >= u'0' && letter <= u'9';
}

/// The texts of one font. Digits are pieces of their own: numbers that change with every picture
/// are made of ten that are known.
class FontTexts
{
public:
    explicit FontTexts(const QFont &font) : m_font(font), m_height(QFontMetricsF(font).height()) {}

    /// Calls @p use(piece) for each piece of @p text, from left to right.
    template<typename Use>
    void forEachPiece(const QString &text, Use use)
    {
        for (qsizetype at = 0; at < text.size();) {
            if (isDigit(text[at])) {
                use(digit(text[at++].unicode() - u'0'));
                continue;
            }
            const auto *end = std::find_if(text.cbegin() + at, text.cend(), isDigit);
            const qsizetype length = end - text.cbegin() - at;
            use(words(text.sliced(at, length)));
            at += length;
        }
    }
    double width(const QString &text)
    {
        double sum = 0;
        forEachPiece(text, [&sum](const Piece &piece) { sum += piece.width; });
        return sum;
    }
    [[nodiscard]] double height() const { return m_height; }

private:
    const Piece &digit(int number)
    {
        std::unique_ptr<Piece> &piece = m_digits[static_cast<std::size_t>(number)];
        if (!piece)
            piece = std::make_unique<Piece>(QString::number(number), m_font);
        return *piece;
    }
    const Piece &words(const QString &text)
    {
        if (const Piece *known = m_words.object(text))
            return *known;
        // A line break would make two lines.
        auto *added = new Piece(QString(text).replace(u'\n', u' '), m_font);
        m_words.insert(text, added);
        return *added;
    }

    const QFont m_font;
    const double m_height;
    std::array<std::unique_ptr<Piece>, 10> m_digits;
    QCache<QString, Piece> m_words{piecesKept};
};

FontTexts &textsOf(const QFont &font)
{
    static QHash<QFont, std::shared_ptr<FontTexts>> fonts;
    std::shared_ptr<FontTexts> &texts = fonts[font];
    if (!texts)
        texts = std::make_shared<FontTexts>(font);
    return *texts;
}

} // namespace

bool drawsPixels(const QPainter &painter)
{
    return painter.paintEngine()->type() == QPaintEngine::Raster;
}

double textWidth(const QString &text, const QFont &font)
{
    return textsOf(font).width(text);
}

double drawText(QPainter &painter, const QRectF &rect, Qt::Alignment alignment, const QString &text,
                const QFont &font, const QColor &color)
{
    if (rect.width() < 4 || text.isEmpty())
        return 0;
    FontTexts &texts = textsOf(font);
    const double whole = texts.width(text);
    const bool fits = whole <= rect.width() + 0.5;
    const QString line =
        fits ? text : QFontMetricsF(font).elidedText(text, Qt::ElideRight, rect.width());
    const double width = fits ? whole : texts.width(line);
    QPointF at = rect.topLeft();
    if (alignment & Qt::AlignRight)
        at.rx() += rect.width() - width;
    else if (alignment & Qt::AlignHCenter)
        at.rx() += (rect.width() - width) / 2;
    if (alignment & Qt::AlignBottom)
        at.ry() += rect.height() - texts.height();
    else if (alignment & Qt::AlignVCenter)
        at.ry() += (rect.height() - texts.height()) / 2;
    // With a pattern as brush, Qt 6.4 cuts static text off where pixels are scaled.
    const QBrush brush = painter.brush();
    const bool hasPattern = brush.style() == Qt::TexturePattern;
    if (hasPattern)
        painter.setBrush(color);
    painter.setFont(font);
    painter.setPen(color);
    texts.forEachPiece(line, [&painter, &at](const Piece &piece) {
        painter.drawStaticText(at, piece.text);
        at.rx() += piece.width;
    });
    if (hasPattern)
        painter.setBrush(brush);
    return std::min(whole, rect.width());
}

QFont fittingFont(const QString &text, double width)
{
    for (const TextSize size : {TextSize::Small, TextSize::Caption}) {
        const QFont font = textFont(size);
        if (textWidth(text, font) <= width)
            return font;
    }
    return textFont(TextSize::Tick);
}

} // namespace proclab
