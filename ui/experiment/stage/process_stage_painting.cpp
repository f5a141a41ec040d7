// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/card_facts.h"
#include "ui/experiment/stage/process_stage.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QEasingCurve>
#include <QPaintEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr std::size_t squaresKept = 4;
constexpr int tokenMs = 200;

/// The whole pixels that @p rect touches.
QRectF pictureRect(const QRectF &rect, double ratio)
{
    const QPointF begin(std::floor(rect.left() * ratio), std::floor(rect.top() * ratio));
    const QPointF end(std::ceil(rect.right() * ratio), std::ceil(rect.bottom() * ratio));
    return {begin / ratio, end / ratio};
}

} // namespace

void ProcessStage::paintEvent(QPaintEvent *event)
{
    QPainter painter(this);
    if (drawsPixels(painter)) {
        painter.drawPixmap(0, 0, stillPicture());
    } else {
        painter.fillRect(rect(), Theme::current().panel);
        paintStill(painter);
    }
    paintMoving(painter);
    paintCards(painter, event->rect());
    paintTokens(painter);
    const Theme &theme = Theme::current();
    if (isIdle()) {
        drawText(painter, QRectF(0, height() - idleLineHeight, width(), idleLineHeight),
                 Qt::AlignCenter, idleText(), fittingFont(idleText(), width()), theme.text2);
    }
    if (hasFocus() && m_selected < 0) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme.accent, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 6, 6);
    }
}

/// What only a new layout changes.
const QPixmap &ProcessStage::stillPicture()
{
    const double ratio = devicePixelRatioF();
    if (m_still.isNull() || m_still.devicePixelRatio() != ratio) {
        m_still = QPixmap((pictureRect(rect(), ratio).size() * ratio).toSize());
        m_still.setDevicePixelRatio(ratio);
        m_still.fill(Theme::current().panel);
        QPainter still(&m_still);
        paintStill(still);
    }
    return m_still;
}

void ProcessStage::paintCards(QPainter &painter, const QRectF &part)
{
    m_cards.resize(static_cast<std::size_t>(m_places.size()));
    for (qsizetype i = 0; i < m_places.size(); ++i) {
        const Place &place = m_places[i];
        if (!part.intersects(place.rect))
            continue;
        painter.setOpacity(opacityOf(place.process));
        if (!drawsPixels(painter)) {
            paintProcessCard(painter, place.rect, place.style, cardContent(place));
            continue;
        }
        const QPixmap &picture = cardPicture(place, m_cards[static_cast<std::size_t>(i)]);
        painter.drawPixmap(pictureRect(place.rect, picture.devicePixelRatio()).topLeft(), picture);
    }
    painter.setOpacity(1);
}

CardContent ProcessStage::cardContent(const Place &place) const
{
    if (place.style == CardStyle::Square)
        return squareContentOf(place.process);
    CardContent content = contentOf(place.process);
    const ProcessLive *now = live(place.process);
    if (place.style == CardStyle::Full && now && content.facts.isEmpty())
        content.facts =
            processFacts(*m_log, content.process, *now, m_snapshot->timeNs, m_itemNames);
    return content;
}

/// What stands at @p place, painted anew unless one of @p cards shows it already.
const QPixmap &ProcessStage::cardPicture(const Place &place, std::vector<PaintedCard> &cards) const
{
    const double ratio = devicePixelRatioF();
    const bool isSquare = place.style == CardStyle::Square;
    CardContent content = cardContent(place);
    const auto known =
        std::find_if(cards.begin(), cards.end(), [&content, ratio](const PaintedCard &card) {
            return card.content == content && card.picture.devicePixelRatio() == ratio;
        });
    if (known != cards.end()) {
        std::rotate(cards.begin(), known, known + 1);
        return cards.front().picture;
    }
    const QRectF rect = pictureRect(place.rect, ratio);
    QPixmap picture((rect.size() * ratio).toSize());
    picture.setDevicePixelRatio(ratio);
    picture.fill(Theme::current().panel);
    QPainter painter(&picture);
    painter.translate(-rect.topLeft());
    paintProcessCard(painter, place.rect, place.style, content);
    painter.end();
    // A square comes back to the states that it had; other cards hardly ever.
    if (cards.size() >= (isSquare ? squaresKept : 1))
        cards.pop_back();
    cards.insert(cards.begin(), {std::move(content), picture});
    return cards.front().picture;
}

void ProcessStage::paintTokens(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const qint64 now = m_clock.elapsed();
    m_tokens.removeIf([now](const Token &token) { return now - token.startedMs >= tokenMs; });
    if (m_tokens.isEmpty())
        return m_frame.stop();
    // They come out of a card or go into one: what it says stays free.
    QRegion free(rect());
    for (const Place &place : std::as_const(m_places))
        free -= place.rect.toAlignedRect();
    painter.setClipRegion(free);
    const QEasingCurve easing(QEasingCurve::OutCubic);
    for (const Token &token : std::as_const(m_tokens)) {
        const double share =
            easing.valueForProgress(static_cast<double>(now - token.startedMs) / tokenMs);
        drawToken(painter, pointAlong(token.path, share), token.text,
                  theme.process(token.colorIndex), theme.onProcess(token.colorIndex));
    }
    painter.setClipping(false);
}

/// Their ways only: the rest of the picture stands still between two of the run.
void ProcessStage::updateTokens()
{
    constexpr int reach = 48; // Of half a token, which may have a name.
    for (const Token &token : std::as_const(m_tokens))
        update(token.path.boundingRect().toAlignedRect().adjusted(-reach, -10, reach, 10));
}

} // namespace proclab
