// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run_log.h"
#include "core/experiment/spec.h"

#include <QWidget>

#include <memory>

namespace proclab {

/// The charts of a run, one below the other on one time axis: CPU per process (lines up to 12
/// processes, beyond that bands of minimum, quartiles and maximum), then the kind's own gauges.
class ChartColumn final : public QWidget
{
    Q_OBJECT

public:
    explicit ChartColumn(QWidget *parent = nullptr);

    /// Which charts there are, from the kind of @p spec; empty axes and "No data yet".
    void setSpec(const ExperimentSpec &spec);
    /// The run to show from now on; null: none.
    void setRun(std::shared_ptr<const RunLog> log);
    /// Draws what is new up to @p nowNs; redraws at most ten times a second.
    void advance(qint64 nowNs);
    void setSelectedProcess(int process);
};

} // namespace proclab
