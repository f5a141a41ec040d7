// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/python/python_job.h"
#include "core/experiment/run/run_result.h"
#include "core/experiment/spec/spec.h"

#include <QWidget>

#include <optional>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace proclab {

/// The experiment as a Python program, and beside it what runs here in C++. The program can be
/// copied, saved, and run with the machine's python3; its figures then stand beside ours.
class CodePane final : public QWidget
{
    Q_OBJECT

public:
    explicit CodePane(QWidget *parent = nullptr);

    /// The settings whose program is shown.
    void setSpec(const ExperimentSpec &spec);
    /// Ours, to compare with; null: there is none yet.
    void setResult(const RunResult *result);

protected:
    void showEvent(QShowEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    QWidget *makeHead(const QString &title, const QList<QPushButton *> &buttons, QLabel *&label);
    QPushButton *makeButton(const QString &text, const QString &tip);
    void showCode();
    void updateRunButton();
    void runOrStop();
    void compare(const Result<PythonResult> &python);
    void save();
    void saveTo(const QString &file);
    void say(const QString &text, bool isError = false);

    ExperimentSpec m_spec;
    bool m_isShown = false; ///< The code of m_spec.
    std::optional<RunResult> m_result;
    ExperimentSpec m_pythonSpec; ///< Of the program that runs.
    PythonJob m_job;

    QPlainTextEdit *m_python = nullptr;
    QPlainTextEdit *m_cpp = nullptr;
    QLabel *m_cppTitle = nullptr;
    QLabel *m_said = nullptr; ///< What a run with Python came to.
    QPushButton *m_copy = nullptr;
    QPushButton *m_save = nullptr;
    QPushButton *m_run = nullptr;
};

} // namespace proclab
