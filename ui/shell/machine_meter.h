// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/monitor/machine_load.h"
#include "ui/shell/core_layout.h"

#include <QThread>
#include <QTimer>
#include <QWidget>

#include <optional>
#include <vector>

namespace proclab {

/// "This machine": how busy each core is, and memory, once a second while it is shown. Up to eight
/// cores have a row each, more are a grid of squares that stand out as they get busy. The files of
/// /proc are read in a thread of their own; a reading that shows the same paints nothing.
class MachineMeter final : public QWidget
{
    Q_OBJECT

public:
    /// @p folder holds `stat` and `meminfo`.
    explicit MachineMeter(QWidget *parent = nullptr,
                          const QByteArray &folder = QByteArrayLiteral("/proc"));
    ~MachineMeter() override;

    /// Narrow: bars or squares alone, without numbers.
    void setCompact(bool compact);
    void setLoad(const MachineLoad &load);
    QSize sizeHint() const override;
    /// What is under @p position: a core, or else the whole machine.
    [[nodiscard]] QString tipAt(const QPoint &position) const;

protected:
    bool event(QEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    /// What is on the screen: whole percent.
    struct Shown
    {
        std::vector<int> cores;    // Their numbers.
        std::vector<int> percents; // -1: not known.
        QString memory;

        bool operator==(const Shown &) const = default;
    };

    void requestSample();
    void updateLayout();
    [[nodiscard]] QRect coresRect() const;
    [[nodiscard]] std::optional<double> percentOf(int cell) const;
    [[nodiscard]] QString machineTip() const;
    [[nodiscard]] QString memoryText() const;
    void paintHead(QPainter &painter) const;
    void paintRows(QPainter &painter) const;
    void paintColumns(QPainter &painter) const;
    void paintGrid(QPainter &painter) const;
    void paintSummary(QPainter &painter) const;
    void paintMemory(QPainter &painter) const;

    QThread m_thread;
    QObject m_reader;           // Lives in m_thread.
    MachineLoadSource m_source; // Used in m_thread only.
    QTimer m_timer;
    MachineLoad m_load;
    Shown m_shown;
    CoreLayout m_layout;
    bool m_compact = false;
};

} // namespace proclab
