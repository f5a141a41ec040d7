// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/program/terminal_pane.h"

#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QEvent>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QShortcut>
#include <QTextBlock>
#include <QToolButton>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int mostLines = 2'000;
/// Longer lines are broken: laying out one of a million characters takes a minute.
constexpr int longestLine = 1'000;
/// So much is added at once; of more, the end.
constexpr qsizetype mostAdded = 200'000;

} // namespace

TerminalPane::TerminalPane(QWidget *parent)
    : QWidget(parent)
    , m_text(new QPlainTextEdit(this))
    , m_inputRow(new QWidget(this))
    , m_line(new QLineEdit(m_inputRow))
    , m_end(new QToolButton(m_inputRow))
{
    m_text->setReadOnly(true);
    m_text->setUndoRedoEnabled(false);
    m_text->setMaximumBlockCount(mostLines);
    m_text->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    m_text->setWordWrapMode(QTextOption::WrapAnywhere);
    m_text->setTabChangesFocus(true);
    m_text->setAccessibleName(tr("What the programs read and wrote"));
    m_text->setPlaceholderText(tr("What the program prints comes here"));
    m_line->setPlaceholderText(tr("Type for its stdin, Enter sends"));
    m_line->setAccessibleName(tr("Standard input of the program"));
    m_end->setText(tr("End"));
    m_end->setToolTip(tr("Closes its standard input (Ctrl+D)"));
    m_end->setFocusPolicy(Qt::StrongFocus);
    auto *row = new QHBoxLayout(m_inputRow);
    row->setContentsMargins(0, 4, 0, 0);
    row->setSpacing(4);
    row->addWidget(m_line, 1);
    row->addWidget(m_end);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_text, 1);
    column->addWidget(m_inputRow);
    m_inputRow->hide();
    applyFonts();

    connect(m_line, &QLineEdit::returnPressed, this, [this] {
        Q_EMIT typed(m_line->text() % u'\n');
        m_line->clear();
    });
    connect(m_end, &QToolButton::clicked, this, &TerminalPane::inputEnded);
    auto *end = new QShortcut(QKeySequence(Qt::CTRL | Qt::Key_D), m_line);
    end->setContext(Qt::WidgetShortcut);
    connect(end, &QShortcut::activated, this, &TerminalPane::inputEnded);
}

void TerminalPane::applyFonts()
{
    m_text->setFont(monoFont(TextSize::Small));
    m_line->setFont(monoFont(TextSize::Small));
    m_end->setFont(textFont(TextSize::Small));
}

void TerminalPane::setLog(std::shared_ptr<const RunLog> log)
{
    m_log = std::move(log);
    m_process = -1;
    m_untilNs = 0;
    restart();
}

void TerminalPane::restart()
{
    m_next = 0;
    m_lastProcess = -1;
    m_column = 0;
    m_text->clear();
}

void TerminalPane::showUntil(qint64 timeNs, int process)
{
    if (!m_log)
        return;
    if (timeNs < m_untilNs || process != m_process)
        restart();
    m_untilNs = timeNs;
    m_process = process;
    const AppendLog<OutputPiece> &pieces = m_log->output;
    std::size_t end = m_next;
    while (end < pieces.size() && pieces[end].timeNs <= timeNs)
        ++end;
    std::size_t begin = end;
    for (qsizetype size = 0; begin > m_next && size < mostAdded; --begin)
        size += pieces[begin - 1].text.size();
    m_next = end;
    QScrollBar *bar = m_text->verticalScrollBar();
    const bool follows = bar->value() == bar->maximum();
    for (std::size_t at = begin; at < end; ++at) {
        if (process < 0 || pieces[at].process == process)
            append(pieces[at]);
    }
    if (follows)
        bar->setValue(bar->maximum());
}

void TerminalPane::append(const OutputPiece &piece)
{
    QTextCursor cursor(m_text->document());
    cursor.movePosition(QTextCursor::End);
    const QTextCharFormat format = formatOf(piece);
    if (piece.process != m_lastProcess && m_process < 0 && m_log->processCount() > 2) {
        const ProcessRecord record = m_log->processes().at(piece.process);
        QTextCharFormat head;
        head.setForeground(Theme::current().process(record.colorIndex));
        head.setFontWeight(QFont::DemiBold);
        cursor.insertText((m_column > 0 ? u"\n"_s : QString()) % record.name % u'\n', head);
        m_column = 0;
    }
    m_lastProcess = piece.process;
    cursor.insertText(shown(piece.text.right(mostAdded)), format);
}

/// With long lines broken, and a picture for each control character.
QString TerminalPane::shown(const QString &text)
{
    QString shown;
    shown.reserve(text.size());
    for (const QChar c : text) {
        const ushort code = c.unicode();
        const bool isControl = (code < 0x20 && c != u'\n' && c != u'\t') || code == 0x7F;
        if (m_column >= longestLine && c != u'\n') {
            shown += u'\n';
            m_column = 0;
        }
        shown += !isControl ? c : code == 0x7F ? QChar(0x2421) : QChar(0x2400 + code);
        m_column = c == u'\n' ? 0 : m_column + 1;
    }
    return shown;
}

QTextCharFormat TerminalPane::formatOf(const OutputPiece &piece) const
{
    const Theme &theme = Theme::current();
    QTextCharFormat format;
    switch (piece.stream) {
    case OutputPiece::Stream::Input:
        format.setForeground(theme.accent);
        format.setFontWeight(QFont::DemiBold);
        break;
    case OutputPiece::Stream::Output:
        format.setForeground(theme.text);
        break;
    case OutputPiece::Stream::Error:
        format.setForeground(theme.warn);
        break;
    }
    return format;
}

void TerminalPane::setCanType(bool canType)
{
    if (canType == m_inputRow->isVisibleTo(this))
        return;
    // Whoever typed goes on with the text.
    if (!canType && m_inputRow->isAncestorOf(focusWidget()))
        m_text->setFocus();
    m_line->clear();
    m_inputRow->setVisible(canType);
    QWidget::setTabOrder(m_text, m_line);
    QWidget::setTabOrder(m_line, m_end);
}

void TerminalPane::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyFonts();
        const qint64 untilNs = m_untilNs;
        restart();
        showUntil(untilNs, m_process);
    }
    QWidget::changeEvent(event);
}

} // namespace proclab
