// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/stage/stage_cards.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double inset = 12;
constexpr double tallestSparkline = 72;
constexpr double leastSparklineAbove = 28; ///< Of it and the gap to the texts below.
constexpr double factPitch = 18;
constexpr double factRow = 16;
constexpr int readyFact = 2;            ///< Its place in processFacts().
constexpr double columnWidth = 170;     ///< Up to this a card's facts stand below each other.
constexpr double twoColumnsWidth = 216; // "Last" and "1.23 ms each" side by side, twice.
constexpr double lowestTwoLines = 40;
constexpr double progressHeight = 3;

/// The least height of a card with so many facts.
constexpr double factsHeight(qsizetype facts)
{
    return 80 + factPitch * static_cast<double>(facts);
}

/// The first of @p texts that fits into @p width, else the last: it is drawn cut.
QString longestThatFits(const QStringList &texts, double width, const QFont &font)
{
    const auto fits = [&](const QString &text) { return textWidth(text, font) <= width; };
    const auto found = std::ranges::find_if(texts, fits);
    return found == texts.end() ? texts.last() : *found;
}

QString tr(const char *text)
{
    return QCoreApplication::translate("Stage", text);
}

/// One card being painted.
class CardPainter
{
public:
    CardPainter(QPainter &painter, const QRectF &rect, const CardContent &content)
        : m_painter(painter)
        , m_rect(rect)
        , m_content(content)
        , m_theme(Theme::current())
        , m_color(m_theme.process(content.process.colorIndex))
        , m_progress(content.live ? content.live->progressPercent : -1)
    {}

    void paintFull()
    {
        paintFrame();
        if (width() < columnWidth && m_content.process.isParent() && m_content.note.isEmpty() &&
            !m_content.facts.isEmpty() && m_rect.height() >= factsHeight(m_content.facts.size()))
            return paintFacts();
        bool hasNote = !m_content.note.isEmpty() && m_rect.height() >= 106;
        const double padding = std::clamp((m_rect.height() - 80) / 4, 4.0, 10.0);
        double y = m_rect.top() + padding;
        paintHead(y, 18);
        y += 18 + (hasNote ? 4 : padding * 0.75);
        if (!hasEndedWithoutText()) {
            paintTask(y, 18);
            paintProgress(QRectF(left(), y + 17, width(), progressHeight));
            y += 18 + 3;
        }
        const double bottom = m_rect.bottom() - padding;
        double metricsBottom = bottom;
        if (hasNote && m_content.isNoteFact &&
            factRowsBetween(y, bottom - 18) * factColumns() > readyFact)
            hasNote = false;
        const int rows = factRowsBetween(y, bottom - (hasNote ? 38 : 18));
        paintFactRows(y, rows);
        y += rows * factRow;
        if (hasNote) {
            const QRectF line(left(), bottom - 16, width(), 16);
            const QFont font = fittingFont(m_content.count % m_content.note, width() - 8);
            const bool fits = textWidth(m_content.count % m_content.note, font) <= width() - 8;
            const double used = fits ? paintNote(line, font) : 0;
            drawText(m_painter, line.adjusted(0, 0, -used - 8, 0), Qt::AlignVCenter,
                     m_content.count, font, m_theme.text2);
            metricsBottom -= 20;
        }
        paintMetrics(y, metricsBottom, !hasNote);
    }

    /// A narrow, high card: state, what it does, then a line a fact.
    void paintFacts()
    {
        double y = m_rect.top() + 10;
        const QRectF head(left(), y, width(), 18);
        drawBadge(m_painter, QRectF(head.topLeft(), QSizeF(38, 18)), shortName(m_content.process),
                  m_content.process.colorIndex, false);
        drawText(m_painter, head.adjusted(44, 0, 0, 0), Qt::AlignVCenter | Qt::AlignRight,
                 QString::number(m_content.process.pid), monoFont(TextSize::Caption),
                 m_theme.text3);
        y += 22;
        if (m_content.live) {
            const QRectF state(left(), y, width(), 18);
            drawStateIcon(m_painter, QRectF(state.left(), y, 14, 18), m_content.live->state,
                          iconColor());
            drawText(m_painter, state.adjusted(19, 0, 0, 0), Qt::AlignVCenter,
                     stateWord(m_content.live->state), textFont(TextSize::Small, QFont::Medium),
                     m_theme.text);
        }
        y += 18;
        const QRectF task(left(), y, width(), 18);
        drawText(m_painter, task, Qt::AlignVCenter, m_content.taskText,
                 fittingFont(m_content.taskText, task.width()), m_theme.text3);
        paintProgress(QRectF(left(), task.bottom() - 1, width(), progressHeight));
        y = m_rect.bottom() - 8 - factPitch * static_cast<double>(m_content.facts.size());
        const double top = task.bottom() + 4;
        if (y - 6 - top > 10)
            drawSparkline(m_painter, QRectF(left(), top, width(), std::min(y - 6 - top, 20.0)),
                          m_content.cpu, m_color);
        for (const CardContent::Fact &fact : m_content.facts) {
            paintFact(QRectF(left(), y, width(), factPitch), fact);
            y += factPitch;
        }
    }

    void paintCompact()
    {
        paintFrame();
        if (m_rect.height() < lowestTwoLines)
            return paintHead(m_rect.top(), m_rect.height());
        const double line = std::floor((m_rect.height() - 8) / 2);
        paintHead(m_rect.top() + 4, line);
        const QRectF lower(left(), m_rect.top() + 4 + line, width(), line);
        const QFont taskFont = textFont(TextSize::Small, QFont::DemiBold);
        const double numbers = paintNumbers(
            lower,
            std::max(textWidth(m_content.task, taskFont), textWidth(u"#000"_s, taskFont)) + 8);
        paintTaskIn(lower.adjusted(0, 0, -numbers - 8, 0));
        paintProgress(
            QRectF(left(), m_rect.bottom() - progressHeight - 2, width(), progressHeight));
    }

    void paintRow()
    {
        drawCard(m_painter, m_rect, m_color, m_content.isSelected);
        const double badgeHeight = std::min(17.0, m_rect.height() - 4);
        const QRectF badge(m_rect.left() + 9, m_rect.center().y() - badgeHeight / 2, 30,
                           badgeHeight);
        drawBadge(m_painter, badge, shortName(m_content.process), m_content.process.colorIndex,
                  isDead());
        const QRectF rest(badge.right() + 6, m_rect.top(), m_rect.right() - badge.right() - 14,
                          m_rect.height());
        if (isDead()) {
            drawText(m_painter, rest, Qt::AlignVCenter, endText(m_content.process),
                     textFont(TextSize::Caption), m_theme.crash);
            return;
        }
        double x = rest.left();
        if (m_content.live) {
            drawStateIcon(m_painter, QRectF(x, rest.top(), 14, rest.height()),
                          m_content.live->state, iconColor());
            x += 19;
        }
        const double numbers =
            rest.right() - x > 48 ? paintNumbers(rest.adjusted(x - rest.left(), 0, 0, 0), 0) : 0;
        const QString text = !m_content.live            ? m_content.taskText
                             : m_content.task.isEmpty() ? stateWord(m_content.live->state)
                                                        : m_content.task;
        const QRectF place(x, rest.top(), rest.right() - numbers - 8 - x, rest.height());
        const QFont font = textFont(TextSize::Caption);
        const bool isState = m_content.live && m_content.task.isEmpty(); // Its icon says it too.
        if (!isState || textWidth(text, font) <= place.width())
            drawText(m_painter, place, Qt::AlignVCenter, text, font, wordColor());
        paintProgress(QRectF(rest.left(), rest.bottom() - 3, rest.width(), 2));
    }

    void paintSquare()
    {
        const ProcessState state = m_content.live ? m_content.live->state : ProcessState::Waiting;
        m_painter.setRenderHint(QPainter::Antialiasing);
        const double ratio = m_painter.device()->devicePixelRatioF();
        const QRectF inner = m_rect.adjusted(0.5, 0.5, -0.5, -0.5);
        const double radius = m_rect.width() >= 14 ? 3 : 1;
        m_painter.setPen(
            QPen(m_content.isSelected ? m_theme.accent : m_color, m_content.isSelected ? 2 : 1));
        m_painter.setBrushOrigin(m_rect.topLeft());
        QColor textColor = m_theme.text;
        switch (state) {
        case ProcessState::Running:
            m_painter.setBrush(m_color);
            textColor = m_theme.onProcess(m_content.process.colorIndex);
            break;
        case ProcessState::ReadyToRun:
            m_painter.setBrush(m_theme.hatch(Theme::Hatch::ReadyToRun, m_color, ratio));
            break;
        case ProcessState::Sleeping:
            m_painter.setBrush(m_theme.tint(m_color, 0.2));
            break;
        case ProcessState::WaitingForLock:
            m_painter.setBrush(m_theme.hatch(Theme::Hatch::WaitingForLock, m_theme.warn, ratio));
            break;
        case ProcessState::BlockedOnFull:
            m_painter.setBrush(m_theme.hatch(Theme::Hatch::BlockedOnFull, m_theme.full, ratio));
            break;
        case ProcessState::Crashed:
            m_painter.setPen(QPen(m_theme.crash, 1));
            m_painter.setBrush(m_theme.hatch(Theme::Hatch::Crashed, m_theme.crash, ratio));
            break;
        default:
            m_painter.setBrush(m_theme.raised);
            textColor = m_theme.text3;
            break;
        }
        m_painter.drawRoundedRect(inner, radius, radius);
        if (m_rect.width() < 22 || state == ProcessState::Crashed)
            return;
        const QFont font = textFont(TextSize::Tick, QFont::DemiBold);
        QString text = shortName(m_content.process);
        QString widest = text; // Whether the letter fits must not depend on which digits follow.
        for (QChar &letter : widest)
            letter = letter.isDigit() ? QChar(u'8') : letter;
        if (textWidth(widest, font) > m_rect.width() - 2) {
            if (m_content.process.isParent())
                return;
            text.remove(0, 1); // The number alone.
        }
        drawText(m_painter, m_rect, Qt::AlignCenter, text, font, textColor);
    }

    void paintDead()
    {
        const QRectF inner = m_rect.adjusted(0.5, 0.5, -0.5, -0.5);
        m_painter.setRenderHint(QPainter::Antialiasing);
        QPen pen(m_content.isSelected ? m_theme.accent : m_theme.crash,
                 m_content.isSelected ? 2 : 1);
        if (!m_content.isSelected)
            pen.setDashPattern({4, 3});
        m_painter.setPen(pen);
        m_painter.setBrush(m_theme.crashTint);
        m_painter.drawRoundedRect(inner, 6, 6);
        const QRectF badge(left(), m_rect.center().y() - 9, 30, 18);
        drawBadge(m_painter, badge, shortName(m_content.process), m_content.process.colorIndex,
                  true);
        const double x = badge.right() + 8;
        const QFont font = textFont(TextSize::Caption);
        const QString end = endText(m_content.process);
        const bool hasDisc = textWidth(end, font) <= m_rect.right() - 30 - x;
        const double room = m_rect.right() - (hasDisc ? 30 : 6) - x;
        const QString pid = QString::number(m_content.process.pid);
        const QString when = durationText(static_cast<double>(m_content.process.endNs) / 1e9);
        const double middle = m_rect.center().y();
        drawText(
            m_painter, QRectF(x, middle - 16, room, 16), Qt::AlignVCenter,
            longestThatFits({tr("PID %1 ended at %2").arg(pid, when), tr("PID %1").arg(pid), pid},
                            room, font),
            font, m_theme.text2);
        QStringList reasons{end};
        if (!m_content.task.isEmpty())
            reasons.prepend(QString(end % u' ' % tr("in %1").arg(m_content.task)));
        drawText(m_painter, QRectF(x, middle - 1, room, 16), Qt::AlignVCenter,
                 longestThatFits(reasons, room, font), font, m_theme.crash);
        if (hasDisc)
            drawCrashDisc(m_painter, QPointF(m_rect.right() - 18, m_rect.center().y()), 6);
    }

private:
    [[nodiscard]] double left() const { return m_rect.left() + inset + 3; }
    [[nodiscard]] double width() const { return m_rect.width() - 2 * inset - 3; }
    [[nodiscard]] bool isDead() const { return hasCrashed(m_content.process); }
    /// Its facts take the line of the task.
    [[nodiscard]] bool hasEndedWithoutText() const
    {
        return m_content.live && isOver(m_content.live->state) && m_content.taskText.isEmpty();
    }
    [[nodiscard]] QColor iconColor() const
    {
        return stateColor(m_content.live->state, m_content.process.colorIndex);
    }
    [[nodiscard]] QColor wordColor() const
    {
        if (!m_content.live || m_content.isIdle)
            return m_theme.text3;
        return isWarning(m_content.live->state)
                   ? stateColor(m_content.live->state, m_content.process.colorIndex)
                   : m_theme.text2;
    }

    /// Facts stand beside each other where two have room.
    [[nodiscard]] int factColumns() const { return width() >= twoColumnsWidth ? 2 : 1; }
    /// How many rows of facts there is room for.
    [[nodiscard]] int factRowsBetween(double top, double bottom) const
    {
        const int columns = factColumns();
        const auto all = (static_cast<int>(m_content.facts.size()) + columns - 1) / columns;
        return std::clamp(static_cast<int>((bottom - top) / factRow), 0, all);
    }

    void paintFactRows(double top, int rows)
    {
        constexpr double between = 16;
        const int columns = factColumns();
        const double column = (width() - between * (columns - 1)) / columns;
        const auto shown = std::min<qsizetype>(columns * rows, m_content.facts.size());
        for (qsizetype i = 0; i < shown; ++i) {
            const double x = left() + static_cast<double>(i % columns) * (column + between);
            const double y = top + static_cast<double>(i / columns) * factRow;
            paintFact(QRectF(x, y, column, factRow), m_content.facts[i]);
        }
    }

    void paintFact(const QRectF &line, const CardContent::Fact &fact)
    {
        using Tone = CardContent::Fact::Tone;
        const QColor color = fact.tone == Tone::Bad       ? m_theme.crash
                             : fact.tone == Tone::Warning ? m_theme.warn
                                                          : m_theme.text;
        const QFont font = textFont(TextSize::Caption);
        const double used =
            drawText(m_painter, line, Qt::AlignVCenter | Qt::AlignRight, fact.value, font, color);
        if (textWidth(fact.label, font) + 6 + used > line.width())
            return; // The tip says it.
        drawText(m_painter, line.adjusted(0, 0, -used - 6, 0), Qt::AlignVCenter, fact.label, font,
                 m_theme.text3);
    }

    void paintFrame() { drawCard(m_painter, m_rect, m_color, m_content.isSelected); }

    void paintHead(double y, double height)
    {
        const QRectF badge(left(), y + (height - 18) / 2, badgeWidth(), 18);
        drawBadge(m_painter, badge, shortName(m_content.process), m_content.process.colorIndex,
                  false);
        double right = m_rect.right() - inset;
        if (m_content.live)
            right = paintState(QRectF(badge.right() + 4, y, right - badge.right() - 4, height));
        const QString pid = QString::number(m_content.process.pid);
        QString text = m_content.isIdle ? tr("not started") : tr("PID %1").arg(pid);
        const QFont font =
            m_content.isIdle ? textFont(TextSize::Caption) : monoFont(TextSize::Caption);
        const QRectF place(badge.right() + 8, y, right - badge.right() - 12, height);
        const bool fits =
            m_content.isIdle ? textWidth(text, font) <= place.width() : hasRoomForPidLabel(font);
        if (!fits)
            text = m_content.isIdle ? QString() : pid;
        if (textWidth(text, font) <= place.width())
            drawText(m_painter, place, Qt::AlignVCenter, text, font, m_theme.text3);
    }

    [[nodiscard]] double badgeWidth() const { return m_content.process.isParent() ? 38 : 30; }
    [[nodiscard]] bool hasRoomForPidLabel(const QFont &font) const
    {
        const double badge = std::max(badgeWidth(), m_content.form.badgeWidth);
        const double state =
            18 + widestStateWord(m_content.form.waits, textFont(TextSize::Small, QFont::Medium));
        const double label = textWidth(tr("PID %1").arg(u"00000"_s), font);
        return left() + badge + 8 + label + 4 + state <= m_rect.right() - inset;
    }

    /// The state's icon and, where it fits, its word, at the right of @p room; where they begin.
    double paintState(const QRectF &room)
    {
        constexpr double iconWidth = 14;
        const QString word = stateWord(m_content.live->state);
        const QFont font = textFont(TextSize::Small, QFont::Medium);
        const double wordWidth = textWidth(word, font) + 1;
        double x = room.right();
        if (wordWidth + iconWidth + 4 <= room.width()) {
            x -= wordWidth;
            drawText(m_painter, QRectF(x, room.top(), wordWidth, room.height()), Qt::AlignVCenter,
                     word, font, isWarning(m_content.live->state) ? iconColor() : m_theme.text);
            x -= 4;
        }
        x -= iconWidth;
        drawStateIcon(m_painter, QRectF(x, room.top(), iconWidth, room.height()),
                      m_content.live->state, iconColor());
        return x;
    }

    void paintTask(double y, double height)
    {
        QRectF line(left(), y, width(), height);
        line.adjust(0, 0, -paintPercent(line), 0);
        const double timeWidth =
            drawText(m_painter, line, Qt::AlignVCenter | Qt::AlignRight, m_content.taskTime,
                     monoFont(TextSize::Small), m_theme.text2);
        paintTaskIn(line.adjusted(0, 0, -timeWidth - 8, 0));
    }

    /// How far the task in hand is, at the right of @p room, where task and time leave room; the
    /// width that it takes.
    double paintPercent(const QRectF &room)
    {
        if (m_progress < 0)
            return 0;
        const QFont font = monoFont(TextSize::Small);
        const double others =
            textWidth(m_content.task, textFont(TextSize::Small, QFont::DemiBold)) + 6 +
            textWidth(m_content.taskText, textFont(TextSize::Small)) + 8 +
            textWidth(m_content.taskTime, font) + 8;
        const double widest = textWidth(percentText(100), font);
        if (others + widest > room.width())
            return 0;
        drawText(m_painter, room, Qt::AlignVCenter | Qt::AlignRight, percentText(m_progress), font,
                 m_theme.text2);
        return widest + 8;
    }

    void paintProgress(const QRectF &bar)
    {
        if (m_progress >= 0)
            drawProgress(m_painter, bar, m_progress / 100.0, m_color);
    }

    void paintTaskIn(const QRectF &room)
    {
        const double used = drawText(m_painter, room, Qt::AlignVCenter, m_content.task,
                                     textFont(TextSize::Small, QFont::DemiBold), m_theme.text);
        const QRectF rest = room.adjusted(used > 0 ? used + 6 : 0, 0, 0, 0);
        const QFont font = textFont(TextSize::Small);
        QString text = m_content.taskText;
        // Rather its beginning alone than a part of its words: the state says the rest.
        if (textWidth(text, font) > rest.width())
            text = text.section(u',', 0, 0);
        if (used > 0 && textWidth(text, font) > rest.width())
            return;
        drawText(m_painter, rest, Qt::AlignVCenter, text, font,
                 m_content.live && isWarning(m_content.live->state) ? iconColor() : m_theme.text3);
    }

    /// Count and, where @p others wide texts leave room, CPU at the right of @p room; the width
    /// that they take.
    double paintNumbers(const QRectF &room, double others)
    {
        const QFont font = textFont(TextSize::Caption);
        double count = 0; // Without room it gives way as a whole.
        if (textWidth(m_content.count, font) <= room.width())
            count = drawText(m_painter, room, Qt::AlignVCenter | Qt::AlignRight, m_content.count,
                             font, m_theme.text2);
        const QFont cpuFont = monoFont(TextSize::Caption);
        if (cpuText().isEmpty())
            return count;
        const double gap = count > 0 ? 10 : 0;
        const double widest = textWidth(percentText(100), cpuFont);
        if (room.width() - count - gap - others < widest + 4)
            return count;
        drawText(m_painter, room.adjusted(0, 0, -count - gap, 0), Qt::AlignVCenter | Qt::AlignRight,
                 cpuText(), cpuFont, m_theme.text);
        return count + gap + widest;
    }

    void paintMetrics(double top, double bottom, bool withCount)
    {
        const QFont font = textFont(TextSize::Small);
        const QString cpu = cpuText();
        const QFont cpuFont = monoFont(TextSize::Small);
        // Room for the widest numbers, so that the sparkline keeps its width.
        double textsWidth = textWidth(percentText(100), cpuFont) + 8;
        if (withCount)
            textsWidth += std::max(textWidth(m_content.count, font),
                                   textWidth(tr("%1 done").arg(u"00"_s), font)) +
                          8;
        const double line = std::min(18.0, bottom - top);
        const QRectF texts(left(), bottom - line, width(), line);
        if (withCount)
            drawText(m_painter, texts, Qt::AlignVCenter | Qt::AlignRight, m_content.count, font,
                     m_theme.text2);
        const double countWidth = withCount ? textWidth(m_content.count, font) + 8 : 0;
        drawText(m_painter, texts.adjusted(0, 0, -countWidth, 0), Qt::AlignVCenter | Qt::AlignRight,
                 cpu, cpuFont, m_theme.text);
        // Beside the texts, or above them where there is more room.
        const bool isAbove = withCount && bottom - top >= line + leastSparklineAbove;
        const double sparkWidth = isAbove ? width() : width() - textsWidth - 4;
        const double sparkBottom = isAbove ? bottom - line - 4 : bottom;
        const double height = std::min({tallestSparkline, sparkBottom - top - 2, sparkWidth / 2});
        const QRectF spark(left(), sparkBottom - height, sparkWidth, height);
        if (spark.width() > 24 && height > 8 && !m_content.isIdle)
            drawSparkline(m_painter, spark.adjusted(0, 0, 0, -1), m_content.cpu, m_color);
    }

    /// At the right; its width.
    double paintNote(const QRectF &room, const QFont &font)
    {
        const QColor warning = m_content.isNoteFact ? m_theme.warn : m_theme.full;
        return drawText(m_painter, room, Qt::AlignRight | Qt::AlignVCenter, m_content.note, font,
                        m_content.noteIsWarning ? warning : m_theme.text2);
    }

    static QString percentText(long percent) { return tr("%1\u00A0%").arg(percent); }
    [[nodiscard]] QString cpuText() const
    {
        if (!m_content.live || m_content.isIdle || m_content.process.endNs >= 0 ||
            m_content.live->state == ProcessState::Ended)
            return {};
        if (m_content.live->cpuPercent < 0)
            return u"\u2013"_s;
        return percentText(std::lround(m_content.live->cpuPercent));
    }

    QPainter &m_painter;
    const QRectF m_rect;
    const CardContent &m_content;
    const Theme &m_theme;
    const QColor m_color;
    const int m_progress; ///< Percent; below 0: not told.
};

} // namespace

void paintProcessCard(QPainter &painter, const QRectF &rect, CardStyle style,
                      const CardContent &content)
{
    CardPainter card(painter, rect, content);
    switch (style) {
    case CardStyle::Full:
    case CardStyle::Compact:
        if (hasCrashed(content.process))
            card.paintDead();
        else if (style == CardStyle::Full)
            card.paintFull();
        else
            card.paintCompact();
        break;
    case CardStyle::Row:
        card.paintRow();
        break;
    case CardStyle::Square:
        card.paintSquare();
        break;
    }
}

} // namespace proclab
