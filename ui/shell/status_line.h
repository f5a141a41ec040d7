// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_status.h"

#include <QWidget>

class QLabel;

namespace proclab {

/// The line at the bottom: the state, how many events, what sampling costs, the machine.
class StatusLine final : public QWidget
{
    Q_OBJECT

public:
    explicit StatusLine(QWidget *parent = nullptr);

    void setStatus(const RunStatus &status);
    /// For a page without an experiment.
    void clearStatus();
    /// How large everything in the window is, in percent; told where it is not 100.
    void setScale(int percent);
    [[nodiscard]] QString stateText() const;

protected:
    void changeEvent(QEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void addTips();
    QLabel *addLabel(const QString &tone);
    void showMachine(const QString &startMethod);
    void updateDot();

    RunStatus m_status;
    QLabel *m_dot;
    QLabel *m_state;
    QLabel *m_events;
    QLabel *m_dropped;
    QLabel *m_sampling;
    QLabel *m_scale;
    QLabel *m_machine;
};

} // namespace proclab
