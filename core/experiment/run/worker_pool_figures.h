// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/gauge_chart.h"
#include "core/experiment/spec/measure.h"

#include <QStringList>

namespace proclab {

/// What is measured of workers that share one queue of tasks; see WorkerPoolRunner.

/// Positions in the kind's gauges.
namespace WorkerPoolGauges {
enum Gauge { Throughput, QueueDepth };
}
[[nodiscard]] QStringList workerPoolGauges();
[[nodiscard]] QList<GaugeChart> workerPoolCharts();
[[nodiscard]] QList<Measure> workerPoolMeasures();

} // namespace proclab
