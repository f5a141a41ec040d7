// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_measures.h"

#include "core/experiment/run/run_result.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class MeasureText
{
    Q_DECLARE_TR_FUNCTIONS(Measure)
};

} // namespace

QList<Measure> runMeasures()
{
    using Better = Measure::Better;
    return {
        {.key = u"elapsed_s"_s,
         .title = MeasureText::tr("Time"),
         .unit = u"s"_s,
         .better = Better::Lower,
         .read = [](const RunResult &result, const QString &) -> std::optional<double> {
             return result.elapsedSeconds;
         }},
        {.key = u"startup_s"_s,
         .title = MeasureText::tr("Start-up"),
         .unit = u"s"_s,
         .better = Better::Lower,
         .read = [](const RunResult &result, const QString &) -> std::optional<double> {
             return result.startupSeconds;
         }},
    };
}

std::optional<double> outcomeFigure(const RunResult &result, const QString &key)
{
    const QJsonValue value = result.outcome[key];
    return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

} // namespace proclab
