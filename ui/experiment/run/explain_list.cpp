// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/explain_list.h"

#include "core/experiment/explain/explanation.h"
#include "core/experiment/run/run_result.h"
#include "ui/experiment/run/explain_line.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QLabel>
#include <QPushButton>

#include <utility>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int mostNames = 4;
constexpr int buttonBesideFrom = 640; ///< Below this width buttons stand under the sentences.

/// "0 s – 2.87 s · consumer-1, consumer-2"
QString whereText(const RunResult &result, const Explanation &explanation)
{
    const auto timeText = [](qint64 timeNs) {
        return durationText(static_cast<double>(timeNs) / 1e9);
    };
    const QString from = timeText(explanation.fromNs);
    const QString to = timeText(explanation.toNs);
    QString text = from == to ? from : QString(from % u" – "_s % to);
    const QList<ProcessRecord> processes = result.log->processes();
    QStringList names;
    for (const int process : explanation.processes.mid(0, mostNames))
        names << processes.at(process).name;
    if (explanation.processes.size() > mostNames)
        names << ExplainList::tr("%1 more").arg(explanation.processes.size() - mostNames);
    return names.isEmpty() ? text : QString(text % u" · "_s % names.join(u", "_s));
}

} // namespace

ExplainList::ExplainList(QWidget *parent)
    : QScrollArea(parent)
    , m_body(new QWidget(this))
    , m_lines(new QVBoxLayout(m_body))
    , m_note(new QLabel(m_body))
{
    setAccessibleName(tr("Explain"));
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setWidgetResizable(true);
    m_body->setProperty("role", u"panel"_s);
    m_note->setProperty("tone", u"text3"_s);
    m_note->setAlignment(Qt::AlignCenter);
    m_note->setWordWrap(true);
    m_lines->setContentsMargins(8, 8, 8, 8);
    m_lines->setSpacing(4);
    m_lines->addWidget(m_note, 1);
    setWidget(m_body);
    showNone();
}

void ExplainList::showNone()
{
    clear(tr("No run yet. What happened in one is explained when it has ended."));
}

void ExplainList::showWaiting()
{
    clear(tr("What happens in this run is explained when it has ended."));
}

void ExplainList::showResult(const RunResult &result)
{
    clear({});
    for (const Explanation &explanation : explain(result))
        addLine(result, explanation);
    m_lines->addStretch(1);
    placeButtons();
}

void ExplainList::clear(const QString &note)
{
    // A line's own button may have asked for it.
    for (const Row &row : std::as_const(m_rows)) {
        row.widget->hide();
        row.widget->deleteLater();
    }
    m_rows.clear();
    while (m_lines->count() > 1)
        delete m_lines->takeAt(1);
    m_note->setText(note);
    m_note->setVisible(!note.isEmpty());
}

void ExplainList::placeButtons()
{
    const bool isBeside = viewport()->width() >= buttonBesideFrom;
    for (const Row &row : std::as_const(m_rows))
        row.layout->setDirection(isBeside ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
}

void ExplainList::resizeEvent(QResizeEvent *event)
{
    QScrollArea::resizeEvent(event);
    placeButtons();
}

void ExplainList::addLine(const RunResult &result, const Explanation &explanation)
{
    auto *row = new QWidget(m_body);
    auto *layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    auto *line = new ExplainLine(explanationText(result, explanation),
                                 whereText(result, explanation), explanation.isWarning, row);
    connect(line, &ExplainLine::clicked, this, [this, explanation] { Q_EMIT chosen(explanation); });
    layout->addWidget(line, 1);
    if (!explanation.trial.isEmpty()) {
        const QString change = trialText(result.spec, explanation.trial);
        auto *button = new QPushButton(tr("Try: %1").arg(change), row);
        button->setProperty("role", u"small"_s);
        button->setFont(textFont(TextSize::Small));
        button->setToolTip(tr("Put this into the configuration and run it: %1").arg(change));
        connect(button, &QPushButton::clicked, this,
                [this, trial = explanation.trial] { Q_EMIT trialAsked(trial); });
        layout->addWidget(button, 0, Qt::AlignTop | Qt::AlignRight);
    }
    m_lines->addWidget(row);
    m_rows.append({row, layout});
}

} // namespace proclab
