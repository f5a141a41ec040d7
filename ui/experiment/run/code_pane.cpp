// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/code_pane.h"

#include "core/experiment/python/python_comparison.h"
#include "core/experiment/python/python_script.h"
#include "ui/shared/code_highlighter.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QBoxLayout>
#include <QClipboard>
#include <QEvent>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSaveFile>
#include <QSplitter>
#include <QStandardPaths>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int headHeight = 32;

QPlainTextEdit *makeView(CodeHighlighter::Language language, const QString &name, QWidget *parent)
{
    auto *view = new QPlainTextEdit(parent);
    view->setReadOnly(true);
    view->setLineWrapMode(QPlainTextEdit::NoWrap);
    view->setTabChangesFocus(true);
    view->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    view->setFont(monoFont(TextSize::Small));
    view->setAccessibleName(name);
    new CodeHighlighter(language, view->document());
    return view;
}

QString sourceOf(const QString &kind)
{
    QFile file(u":/kinds/%1.cpp"_s.arg(kind));
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

QString withUnit(double figure, const QString &unit)
{
    return unit == u"s"_s ? durationText(figure)
                          : QString(shortNumber(figure) % u'\u00A0' % unit).trimmed();
}

QString advantageText(const ComparedFigure &figure)
{
    const bool isLowerBetter = figure.measure->better == Measure::Better::Lower;
    const double advantage = isLowerBetter ? 1 / figure.ratio() : figure.ratio();
    return advantage >= 1
               ? CodePane::tr("%1 times better").arg(QString::number(advantage, 'g', 3))
               : CodePane::tr("%1 times worse").arg(QString::number(1 / advantage, 'g', 3));
}

} // namespace

CodePane::CodePane(QWidget *parent) : QWidget(parent)
{
    setProperty("role", u"panel"_s);
    setAttribute(Qt::WA_StyledBackground);
    auto *panes = new QSplitter(Qt::Horizontal, this);
    panes->setHandleWidth(1);
    panes->setChildrenCollapsible(false);

    auto *left = new QWidget(panes);
    auto *leftColumn = new QVBoxLayout(left);
    leftColumn->setContentsMargins(0, 0, 0, 0);
    leftColumn->setSpacing(0);
    m_run = makeButton(tr("Run with Python"), {});
    m_copy = makeButton(tr("Copy"), tr("Copy the Python program"));
    m_copy->setAccessibleName(m_copy->toolTip());
    m_save = makeButton(tr("Save…"), tr("Save the Python program to a file"));
    QLabel *pythonTitle = nullptr;
    leftColumn->addWidget(makeHead(tr("Python"), {m_run, m_copy, m_save}, pythonTitle));
    m_said = new QLabel(left);
    m_said->setFont(textFont(TextSize::Small));
    m_said->setWordWrap(true);
    m_said->setContentsMargins(12, 4, 12, 6);
    m_said->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_said->hide();
    leftColumn->addWidget(m_said);
    m_python = makeView(CodeHighlighter::Language::Python, tr("Python program"), left);
    leftColumn->addWidget(m_python, 1);

    auto *right = new QWidget(panes);
    auto *rightColumn = new QVBoxLayout(right);
    rightColumn->setContentsMargins(0, 0, 0, 0);
    rightColumn->setSpacing(0);
    auto *copyCpp = makeButton(tr("Copy"), tr("Copy the C++ source"));
    copyCpp->setAccessibleName(copyCpp->toolTip());
    rightColumn->addWidget(makeHead(tr("C++"), {copyCpp}, m_cppTitle));
    m_cpp = makeView(CodeHighlighter::Language::Cpp, tr("C++ source"), right);
    rightColumn->addWidget(m_cpp, 1);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(panes);

    const auto copy = [](const QPlainTextEdit *view) {
        QApplication::clipboard()->setText(view->toPlainText());
    };
    connect(m_copy, &QPushButton::clicked, this, [this, copy] { copy(m_python); });
    connect(copyCpp, &QPushButton::clicked, this, [this, copy] { copy(m_cpp); });
    connect(m_save, &QPushButton::clicked, this, &CodePane::save);
    connect(m_run, &QPushButton::clicked, this, &CodePane::runOrStop);
    connect(&m_job, &PythonJob::ended, this, &CodePane::compare);
    updateRunButton();
}

QWidget *CodePane::makeHead(const QString &title, const QList<QPushButton *> &buttons,
                            QLabel *&label)
{
    auto *head = new QWidget(this);
    head->setFixedHeight(headHeight);
    auto *row = new QHBoxLayout(head);
    row->setContentsMargins(12, 0, 8, 0);
    row->setSpacing(4);
    label = new QLabel(title, head);
    label->setFont(textFont(TextSize::Small, QFont::DemiBold));
    row->addWidget(label, 1);
    for (QPushButton *button : buttons)
        row->addWidget(button);
    return head;
}

QPushButton *CodePane::makeButton(const QString &text, const QString &tip)
{
    auto *button = new QPushButton(text, this);
    button->setProperty("role", u"small"_s);
    button->setFont(textFont(TextSize::Small));
    button->setToolTip(tip);
    return button;
}

void CodePane::setSpec(const ExperimentSpec &spec)
{
    m_spec = spec;
    m_isShown = false;
    if (isVisible())
        showCode();
}

void CodePane::setResult(const RunResult *result)
{
    m_result = result ? std::optional(*result) : std::nullopt;
    if (!m_job.isRunning())
        m_said->hide();
}

void CodePane::showEvent(QShowEvent *event)
{
    showCode();
    QWidget::showEvent(event);
}

void CodePane::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange) {
        for (auto *highlighter : findChildren<CodeHighlighter *>())
            highlighter->rehighlight();
    }
    QWidget::changeEvent(event);
}

void CodePane::showCode()
{
    if (std::exchange(m_isShown, true))
        return;
    const bool isWhole = m_spec.check().isEmpty();
    const Result<QString> script =
        isWhole ? pythonScript(m_spec)
                : Error{ErrorCode::InvalidArgument, {}, tr("a setting has a fault"), {}, 0};
    m_python->setPlainText(script ? *script : u"# "_s % errorText(script.error()));
    for (QPushButton *button : {m_copy, m_save})
        button->setEnabled(script.has_value());
    m_run->setProperty("hasProgram", script.has_value());
    m_cpp->setPlainText(sourceOf(m_spec.kind()));
    m_cppTitle->setText(tr("C++: what runs here"));
    updateRunButton();
}

void CodePane::updateRunButton()
{
    const bool isThere = !QStandardPaths::findExecutable(u"python3"_s).isEmpty();
    const bool hasProgram = m_run->property("hasProgram").toBool();
    m_run->setText(m_job.isRunning() ? tr("Stop Python") : tr("Run with Python"));
    m_run->setEnabled(m_job.isRunning() || (isThere && hasProgram));
    m_run->setToolTip(
        !isThere ? tr("There is no python3 on this machine")
                 : tr("Run this program with python3, and put its figures beside those of the "
                      "last run here"));
}

void CodePane::runOrStop()
{
    if (m_job.isRunning())
        return m_job.stop();
    // What was run here, with the seed that was drawn for it.
    m_pythonSpec = m_result ? m_result->spec : m_spec;
    const Result<QString> script = pythonScript(m_pythonSpec);
    const Result<void> started =
        script ? m_job.start(*script, pythonLimit(m_result ? m_result->elapsedSeconds : 60))
               : script.error();
    if (!started)
        return say(errorText(started.error()), true);
    say(m_result ? tr("Python runs what was run here last …")
                 : tr("Python runs it. Run it here too, to have figures to compare …"));
    updateRunButton();
}

void CodePane::compare(const Result<PythonResult> &python)
{
    updateRunButton();
    if (!python)
        return say(errorText(python.error()), true);
    const QString head =
        tr("Python %1 took %2").arg(python->version, durationText(python->elapsedSeconds));
    if (!m_result || !(m_result->spec == m_pythonSpec))
        return say(head);
    QStringList lines{head};
    for (const ComparedFigure &figure : comparedFigures(*m_result, *python))
        lines.append(tr("%1: %2 here, %3 in Python (%4)")
                         .arg(figure.measure->title, withUnit(figure.ours, figure.measure->unit),
                              withUnit(figure.pythons, figure.measure->unit),
                              advantageText(figure)));
    say(lines.join(u" · "_s));
}

void CodePane::say(const QString &text, bool isError)
{
    QPalette palette = m_said->palette();
    palette.setColor(QPalette::WindowText,
                     isError ? Theme::current().crash : Theme::current().text);
    m_said->setPalette(palette);
    m_said->setText(text);
    m_said->show();
}

void CodePane::save()
{
    auto *dialog = new QFileDialog(this, tr("Save the Python program"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(u"py"_s);
    dialog->setNameFilter(tr("Python programs (*.py)"));
    dialog->selectFile(m_spec.kind() % u".py"_s);
    connect(dialog, &QFileDialog::fileSelected, this, &CodePane::saveTo);
    dialog->open();
}

void CodePane::saveTo(const QString &file)
{
    QSaveFile out(file);
    const QByteArray text = m_python->toPlainText().toUtf8() + '\n';
    if (out.open(QIODevice::WriteOnly) && out.write(text) == text.size() && out.commit())
        say(tr("Saved as %1").arg(file));
    else
        say(u"%1: %2"_s.arg(file, out.errorString()), true);
}

} // namespace proclab
