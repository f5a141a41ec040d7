// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/python/python_comparison.h"

#include "core/experiment/run/run_result.h"
#include "core/experiment/spec/kind.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

QList<ComparedFigure> comparedFigures(const RunResult &ours, const PythonResult &pythons)
{
    QList<ComparedFigure> all;
    for (const Measure &measure : ours.spec.kindInfo()->measures) {
        const auto own = measure.of(ours);
        const auto other = pythons.figure(measure.key);
        if (measure.better != Measure::Better::Neither && own && other && *own > 0 && *other > 0)
            all.append({&measure, *own, *other});
    }
    return all;
}

std::chrono::seconds pythonLimit(double elapsedSeconds)
{
    return 60s + std::chrono::seconds(static_cast<qint64>(100 * elapsedSeconds));
}

QJsonObject pythonJson(const RunResult &ours, const Result<PythonResult> &pythons)
{
    if (!pythons)
        return {{u"error"_s, errorText(pythons.error())}};
    QJsonObject ratios;
    for (const ComparedFigure &figure : comparedFigures(ours, *pythons))
        ratios.insert(figure.measure->key, figure.ratio());
    return {{u"version"_s, pythons->version},
            {u"elapsed_s"_s, pythons->elapsedSeconds},
            {u"totals"_s, pythons->totals},
            {u"outcome"_s, pythons->outcome},
            {u"ratios"_s, ratios},
            {u"error"_s, QJsonValue()}};
}

} // namespace proclab
