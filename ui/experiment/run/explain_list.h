// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QJsonObject>
#include <QScrollArea>

class QBoxLayout;
class QLabel;
class QVBoxLayout;

namespace proclab {

struct Explanation;
struct RunResult;

/// What happened in a run that has ended, a line for each thing that its rules found: sentences,
/// where in the run it is, and a button where there are values to try. Before the end it says that
/// it explains then.
class ExplainList final : public QScrollArea
{
    Q_OBJECT

public:
    explicit ExplainList(QWidget *parent = nullptr);

    void showNone();
    /// A run goes on.
    void showWaiting();
    void showResult(const RunResult &result);

Q_SIGNALS:
    /// The user wants to see @p explanation where it happened.
    void chosen(const proclab::Explanation &explanation);
    /// The user wants a run with these values, by the field's path.
    void trialAsked(const QJsonObject &trial);

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void clear(const QString &note);
    void placeButtons();
    void addLine(const RunResult &result, const Explanation &explanation);

    QWidget *m_body;
    QVBoxLayout *m_lines;
    QLabel *m_note;
    struct Row
    {
        QWidget *widget;
        QBoxLayout *layout;
    };
    QList<Row> m_rows;
};

} // namespace proclab
