// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QWidget>

namespace proclab {

class ExperimentSpec;
struct Preset;
struct RunStatus;

/// What fills the window between its bars. A page without an experiment ignores what is only for
/// those with one.
class Page : public QWidget
{
    Q_OBJECT

public:
    using QWidget::QWidget;

    /// How the run stands, before the first one too; null: the page has no experiment.
    [[nodiscard]] virtual const RunStatus *runStatus() const { return nullptr; }
    /// Why no run can be started, in one line; empty: it can.
    [[nodiscard]] virtual QString blockedBy() const { return {}; }
    /// Name of the preset that is shown; empty: none.
    [[nodiscard]] virtual QString presetName() const { return {}; }
    /// Title of the experiment that was opened from a file; empty: it has none, or is a preset.
    [[nodiscard]] virtual QString fileTitle() const { return {}; }
    /// What is shown is no longer the preset or the file that was opened.
    [[nodiscard]] virtual bool isChanged() const { return false; }
    /// Shows @p preset, which is of the page's kind, without starting it.
    virtual void openPreset(const Preset &) {}
    /// The same for an experiment that is no preset.
    virtual void openSpec(const ExperimentSpec &) {}
    virtual void run() {}
    virtual void stop() {}
    virtual void toggleConfig() {}
    virtual void toggleDock() {}
    virtual void showDockTab(int) {}

Q_SIGNALS:
    void statusChanged();
    /// The run of this page is over.
    void runEnded();
};

} // namespace proclab
