// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/python/python_run.h"
#include "core/experiment/spec/measure.h"

#include <QJsonObject>
#include <QList>

#include <chrono>

namespace proclab {

struct RunResult;

/// A figure that both a run and its Python program have.
struct ComparedFigure
{
    const Measure *measure = nullptr; ///< Never null; one that is better higher or lower.
    double ours = 0;                  ///< Above 0.
    double pythons = 0;               ///< Above 0.

    [[nodiscard]] double ratio() const { return ours / pythons; }
};

/// Of those measures of the kind that both have.
[[nodiscard]] QList<ComparedFigure> comparedFigures(const RunResult &ours,
                                                    const PythonResult &pythons);
/// How long the Python program of an experiment may take that took so long here: an interpreter may
/// take a hundred times as long.
[[nodiscard]] std::chrono::seconds pythonLimit(double elapsedSeconds);
/// `python` of a result: what the program came to, with the ratios, or its error.
[[nodiscard]] QJsonObject pythonJson(const RunResult &ours, const Result<PythonResult> &pythons);

} // namespace proclab
