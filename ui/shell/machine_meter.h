// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/monitor/machine_load.h"

#include <QThread>
#include <QTimer>
#include <QWidget>

namespace proclab {

/// "This machine": a bar for each core, and memory, once a second while it is shown. The files of
/// /proc are read in a thread of their own.
class MachineMeter final : public QWidget
{
    Q_OBJECT

public:
    explicit MachineMeter(QWidget *parent = nullptr);
    ~MachineMeter() override;

    /// Narrow: bars side by side, without numbers.
    void setCompact(bool compact);
    QSize sizeHint() const override;

protected:
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    void requestSample();
    void takeLoad(const MachineLoad &load);
    void paintRows(QPainter &painter) const;
    void paintColumns(QPainter &painter, const QRect &room) const;
    [[nodiscard]] bool drawsColumns() const;

    QThread m_thread;
    QObject m_reader;           // Lives in m_thread.
    MachineLoadSource m_source; // Used in m_thread only.
    QTimer m_timer;
    MachineLoad m_load;
    bool m_compact = false;
};

} // namespace proclab
