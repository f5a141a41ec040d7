// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"

#include <QTextCharFormat>
#include <QWidget>

#include <memory>

class QLineEdit;
class QPlainTextEdit;
class QToolButton;

namespace proclab {

/// What programs read and wrote, each stream in its own colour, and a line to type what the program
/// reads next. Control characters are shown, not obeyed. The last lines are there to look at; the
/// whole kept text is in the result.
class TerminalPane final : public QWidget
{
    Q_OBJECT

public:
    explicit TerminalPane(QWidget *parent = nullptr);

    /// The run to show from now on; null: none.
    void setLog(std::shared_ptr<const RunLog> log);
    /// Shows what came until @p timeNs; of process @p process alone unless that is below 0.
    void showUntil(qint64 timeNs, int process);
    /// Whether the program takes what is typed.
    void setCanType(bool canType);

Q_SIGNALS:
    void typed(const QString &text);
    void inputEnded();

protected:
    void changeEvent(QEvent *event) override;

private:
    void restart();
    void append(const OutputPiece &piece);
    [[nodiscard]] QString shown(const QString &text);
    [[nodiscard]] QTextCharFormat formatOf(const OutputPiece &piece) const;
    void applyFonts();

    std::shared_ptr<const RunLog> m_log;
    std::size_t m_next = 0; ///< The first piece that is not shown.
    qint64 m_untilNs = 0;
    int m_process = -1;
    int m_lastProcess = -1; ///< Whose text stands last.
    int m_column = 0;
    QPlainTextEdit *m_text;
    QWidget *m_inputRow;
    QLineEdit *m_line;
    QToolButton *m_end;
};

} // namespace proclab
