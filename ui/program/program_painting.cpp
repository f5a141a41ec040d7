// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/number_text.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/program/program_stage.h"
#include "ui/program/shell_reading.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double captionHeight = 18;
constexpr double boxGap = 6;
constexpr double boxPadding = 8;
constexpr double treeRowHeight = 18;
constexpr double indent = 14;

/// On one line: what is no letter has a picture.
QString onOneLine(QString text)
{
    for (QChar &c : text) {
        if (c.unicode() < 0x20)
            c = QChar(0x2400 + c.unicode());
    }
    return text;
}

QString meaningText(ShellWord::Meaning meaning)
{
    using enum ShellWord::Meaning;
    switch (meaning) {
    case Word:
        break;
    case Variable:
        return ProgramStage::tr("its value");
    case Files:
        return ProgramStage::tr("names of files");
    case Output:
        return ProgramStage::tr("output of a command");
    case Next:
        return ProgramStage::tr("next command");
    case Pipe:
        return ProgramStage::tr("pipe");
    case Background:
        return ProgramStage::tr("in the background");
    case Redirect:
        return ProgramStage::tr("a file");
    case Comment:
        return ProgramStage::tr("left out");
    }
    return {};
}

/// Boxes in a row, as many as fit; the rest as a count.
class BoxRow
{
public:
    BoxRow(QPainter &painter, const QRectF &row) : m_painter(painter), m_row(row), m_x(row.left())
    {}

    struct Look
    {
        QColor fill, border, text, note;
        bool isCrossedOut = false;
    };

    /// How wide a box is in a row of width @p room.
    static double widthOf(const QString &text, const QString &note, double room)
    {
        return wordsWidth(text, room) + noteWidth(note) + 2 * boxPadding;
    }

    /// False: there is no room for it; @p left more are counted instead.
    bool add(const QString &text, const QString &note, const Look &look, qsizetype left)
    {
        const QFont font = monoFont(TextSize::Small);
        const double wanted = wordsWidth(text, m_row.width());
        const double width = widthOf(text, note, m_row.width());
        const double counted = left > 1 ? countRoom : 0;
        if (m_x + width + counted > m_row.right()) {
            drawText(m_painter, QRectF(m_x, m_row.top(), m_row.right() - m_x, m_row.height()),
                     Qt::AlignVCenter, ProgramStage::tr("+%1").arg(left), font,
                     Theme::current().text3);
            return false;
        }
        const QRectF box(m_x, m_row.top(), width, m_row.height());
        m_painter.setRenderHint(QPainter::Antialiasing);
        m_painter.setPen(QPen(look.border, 1));
        m_painter.setBrush(look.fill);
        m_painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
        const QRectF words(box.left() + boxPadding, box.top(), wanted + 1, box.height());
        drawText(m_painter, words, Qt::AlignVCenter, text, font, look.text);
        if (!note.isEmpty())
            drawText(m_painter, QRectF(words.right() + 4, box.top(), noteWidth(note), box.height()),
                     Qt::AlignVCenter, note, textFont(TextSize::Caption), look.note);
        if (look.isCrossedOut) {
            m_painter.setPen(QPen(Theme::current().crash, 1.5));
            m_painter.drawLine(QPointF(words.left() - 3, box.center().y()),
                               QPointF(words.right() + 2, box.center().y()));
        }
        m_x += width + boxGap;
        return true;
    }

private:
    static constexpr double countRoom = 34;

    static double wordsWidth(const QString &text, double room)
    {
        return std::min(std::max(textWidth(text, monoFont(TextSize::Small)), 6.0), room * 0.45);
    }
    static double noteWidth(const QString &note)
    {
        return note.isEmpty() ? 0 : textWidth(note, textFont(TextSize::Caption)) + 6;
    }

    QPainter &m_painter;
    const QRectF m_row;
    double m_x;
};

void drawCaption(QPainter &painter, const QRectF &strip, const QString &text)
{
    drawText(painter, QRectF(strip.left(), strip.top(), strip.width(), captionHeight - 2),
             Qt::AlignVCenter, text, textFont(TextSize::Caption), Theme::current().text3);
}

QRectF boxesIn(const QRectF &strip)
{
    return strip.adjusted(0, captionHeight, 0, -1);
}

} // namespace

void ProgramStage::paintStill(QPainter &painter)
{
    paintArguments(painter);
    if (!m_layout.shell.isEmpty())
        paintShell(painter);
    if (!m_layout.tree.isEmpty())
        drawBox(painter, m_layout.tree);
}

void ProgramStage::paintArguments(QPainter &painter)
{
    const Theme &theme = Theme::current();
    drawCaption(painter, m_layout.arguments, tr("The program gets these arguments, one a box"));
    BoxRow row(painter, boxesIn(m_layout.arguments));
    const QStringList words = command();
    for (qsizetype i = 0; i < words.size(); ++i) {
        const bool isProgram = i == 0;
        const BoxRow::Look look{isProgram ? theme.accentTint : theme.raised,
                                isProgram ? theme.accent : theme.borderStrong, theme.text,
                                theme.text3, false};
        if (!row.add(onOneLine(words[i]), {}, look, words.size() - i))
            break;
    }
}

void ProgramStage::paintShell(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QStringList words = command();
    drawCaption(painter, m_layout.shell,
                readsTheSame(words) ? tr("A shell would read the same: none is run")
                                    : tr("What a shell would make of it: none is run"));
    const QRectF boxes = boxesIn(m_layout.shell);
    const QList<ShellWord> read = shellReading(words);
    double needed = 0;
    for (const ShellWord &word : read)
        needed += boxGap +
                  BoxRow::widthOf(onOneLine(word.text), meaningText(word.meaning), boxes.width());
    const bool hasNotes = needed - boxGap <= boxes.width(); // Else the boxes come first.
    BoxRow row(painter, boxes);
    for (qsizetype i = 0; i < read.size(); ++i) {
        const bool isChanged = read[i].meaning != ShellWord::Meaning::Word;
        const BoxRow::Look look{isChanged ? theme.crashTint : theme.sunken,
                                isChanged ? theme.crash : theme.border, theme.text2, theme.crash,
                                true};
        const QString note = hasNotes ? meaningText(read[i].meaning) : QString();
        if (!row.add(onOneLine(read[i].text), note, look, read.size() - i))
            break;
    }
}

void ProgramStage::paintMoving(QPainter &painter)
{
    if (!m_layout.tree.isEmpty())
        paintTree(painter);
    paintFoot(painter);
}

/// The processes below the programs, each under its parent.
void ProgramStage::paintTree(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF box = m_layout.tree.adjusted(12, 6, -12, -6);
    const std::vector<ProgramState::Descendant> &all = state().descendants;
    const QString title =
        all.empty() ? tr("No processes below") : tr("Processes below: %1").arg(all.size());
    drawText(painter, QRectF(box.left(), box.top(), box.width(), captionHeight), Qt::AlignVCenter,
             title, textFont(TextSize::Small, QFont::DemiBold), theme.text2);
    const auto rows =
        static_cast<std::size_t>(std::max(0.0, (box.height() - captionHeight) / treeRowHeight));
    const std::size_t shown = all.size() > rows && rows > 0 ? rows - 1 : std::min(all.size(), rows);
    const QFont font = monoFont(TextSize::Caption);
    QList<std::pair<qint64, int>> depths;
    for (std::size_t i = 0; i < shown; ++i) {
        const ProgramState::Descendant &one = all[i];
        int depth = 0;
        for (const auto &[pid, parentDepth] : depths)
            depth = pid == one.parentPid ? parentDepth + 1 : depth;
        depths.append({one.pid, depth});
        const double left = box.left() + std::min(depth, 5) * indent;
        const QRectF row(left, box.top() + captionHeight + static_cast<double>(i) * treeRowHeight,
                         box.right() - left, treeRowHeight);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.fillRect(QRectF(row.left(), row.top() + 4, 4, treeRowHeight - 8),
                         theme.process(static_cast<int>(one.instance)));
        drawText(painter, row.adjusted(10, 0, 0, 0), Qt::AlignVCenter,
                 onOneLine(QString::fromUtf8(one.name)) % u"  "_s % QString::number(one.pid), font,
                 theme.text);
    }
    if (shown < all.size() && rows > 0)
        drawText(painter,
                 QRectF(box.left(),
                        box.top() + captionHeight + static_cast<double>(shown) * treeRowHeight,
                        box.width(), treeRowHeight),
                 Qt::AlignVCenter, tr("… and %1 more").arg(all.size() - shown), font, theme.text3);
}

/// How much of its time is over, and how it ended.
void ProgramStage::paintFoot(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF foot = m_layout.foot.adjusted(0, 4, 0, 0);
    const QFont font = textFont(TextSize::Small);
    QString end;
    QColor color = theme.text2;
    if (isEnded() && programCount() == 1) {
        const ProcessRecord &program = processes()[1];
        const bool isGood = program.signal == 0 && program.exitCode == 0;
        end = endOf(program);
        color = isGood ? theme.ok : theme.crash;
    } else if (!isIdle()) {
        end = tr("%1 of %2 ended").arg(endedCount()).arg(programCount());
    }
    qint64 dropped = 0;
    for (const ProgramState::Instance &one : state().instances)
        dropped += one.droppedBytes;
    if (dropped > 0)
        end = tr("%1 not kept, %2").arg(bytesText(static_cast<quint64>(dropped)), end);
    const QFont bold = textFont(TextSize::Body, QFont::DemiBold);
    const double endWidth = std::min(textWidth(end, bold) + 4, foot.width());
    drawText(painter, QRectF(foot.right() - endWidth, foot.top(), endWidth, foot.height()),
             Qt::AlignVCenter | Qt::AlignRight, end, bold, color);
    const double limit = spec().number(u"program.timeout_s"_s);
    const double room = foot.width() - endWidth - 12;
    if (limit <= 0 || room < 60)
        return;
    double passed = 0;
    for (const ProcessRecord &process : processes().mid(1)) {
        const qint64 untilNs = process.endNs >= 0 ? process.endNs
                               : snapshot()       ? snapshot()->timeNs
                                                  : process.startNs;
        passed = std::max(passed, static_cast<double>(untilNs - process.startNs) / 1e9);
    }
    const QString text = isIdle() ? tr("timeout %1").arg(durationText(limit))
                                  : tr("%1 of %2").arg(durationText(passed), durationText(limit));
    const double words = std::min(textWidth(text, font) + 4, room);
    drawText(painter, QRectF(foot.left(), foot.top(), words, foot.height()), Qt::AlignVCenter, text,
             font, theme.text2);
    const double bar = std::min(160.0, room - words - 8);
    if (bar > 20)
        drawProgress(painter, QRectF(foot.left() + words + 8, foot.center().y() - 2, bar, 4),
                     std::clamp(passed / limit, 0.0, 1.0),
                     passed >= limit ? theme.crash : theme.accent);
}

} // namespace proclab
