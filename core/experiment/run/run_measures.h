// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/measure.h"

#include <QList>

namespace proclab {

/// The measures of every run.
[[nodiscard]] QList<Measure> runMeasures();
/// Measure::read of a number in the outcome.
[[nodiscard]] std::optional<double> outcomeFigure(const RunResult &result, const QString &key);

} // namespace proclab
