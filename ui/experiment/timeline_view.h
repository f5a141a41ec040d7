// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run_log.h"
#include "core/experiment/spec.h"
#include "core/experiment/stage_snapshot.h"

#include <QWidget>

#include <memory>

namespace proclab {

/// A lane for each process and a bar for each task or item, running ones open at the right.
/// Wheel zooms at the pointer, drag pans, double-click fits; + − 0 ← → End ↑ ↓ by keyboard.
/// Bars under 2 px merge into a busy-share profile per pixel column, so a million draw as fast as ten.
class TimelineView final : public QWidget
{
    Q_OBJECT

public:
    explicit TimelineView(QWidget *parent = nullptr);

    /// The run to show from now on; null: none.
    void setRun(std::shared_ptr<const RunLog> log);
    /// The newest instant: draws the running bars and, while following, moves with it.
    void setSnapshot(const StageSnapshotPointer &snapshot);
    void setSelectedProcess(int process);
    [[nodiscard]] bool isFollowing() const;
    void setFollowing(bool following);
    void zoomIn();
    void zoomOut();
    void fit();

Q_SIGNALS:
    void processSelected(int process);
    void followingChanged(bool following);
};

} // namespace proclab
