// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_status.h"
#include "core/experiment/spec/presets.h"
#include "ui/shell/pages.h"

#include <QElapsedTimer>
#include <QWidget>

class QFrame;
class QLabel;
class QPushButton;
class QToolButton;

namespace proclab {

class ComboBox;
class RunProgress;

/// What the page is, its presets, Run and Stop, how far the run is, the theme's button.
class TopBar final : public QWidget
{
    Q_OBJECT

public:
    explicit TopBar(QWidget *parent = nullptr);

    /// @p presets of the page's kind; empty for a page without an experiment, which shows title and
    /// theme only.
    void setPage(const PageInfo &page, const QList<Preset> &presets);
    /// Chooses the preset without presetChosen(). One that is not listed is a file's: it reads as
    /// @p fileTitle, or "From a file" without one.
    void setCurrentPreset(const QString &name, const QString &fileTitle = {});
    /// Beside the preset stands that it was changed.
    void setChanged(bool isChanged);
    /// @p blockedBy: why no run can be started, in one line; empty: it can.
    void setStatus(const RunStatus &status, const QString &blockedBy);

    [[nodiscard]] QPushButton *runButton() const { return m_run; }
    [[nodiscard]] QPushButton *stopButton() const { return m_stop; }
    [[nodiscard]] bool hasFocusOnTheme() const;
    [[nodiscard]] const RunProgress *progress() const { return m_progress; }

Q_SIGNALS:
    void presetChosen(const QString &name);
    void runRequested();
    void stopRequested();
    void themeRequested();

protected:
    void changeEvent(QEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void createTitle();
    void createControls();
    void updatePresetTip();
    void updateButtons();
    void keepFocus(bool canRun, bool canStop);
    void updateThemeButton();
    /// Where there is little room the title has a line only, and what can be narrow is.
    void fitWidth();

    RunStatus m_status;
    QString m_blockedBy;
    QElapsedTimer m_starting;
    QWidget *m_titles;
    QLabel *m_title;
    QLabel *m_subtitle;
    QWidget *m_controls; ///< All that belongs to an experiment.
    ComboBox *m_presets;
    bool m_isChanged = false;
    bool m_owesFocus = false; ///< It was on Run or Stop when neither could be used any more.
    QPushButton *m_run;
    QPushButton *m_stop;
    QFrame *m_rule;
    RunProgress *m_progress;
    QToolButton *m_theme;
};

} // namespace proclab
