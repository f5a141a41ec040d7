// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/pipe/pipe_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/spec/presets.h"

#include <QJsonArray>
#include <QJsonObject>

#include <algorithm>
#include <cmath>

namespace proclab::test {

/// The preset, with less to do where it takes long.
inline ExperimentSpec shortened(const Preset &preset)
{
    using namespace Qt::StringLiterals;
    ExperimentSpec spec = preset.spec;
    // As many workers as cores would be too many for cards, on some machines.
    if (spec.kind() == u"pool"_s)
        spec.set(u"pool.workers"_s, std::min(spec.integer(u"pool.workers"_s), 4));
    if (preset.name == u"pipeline-slow-consumers"_s)
        spec.set(u"pipeline.items_per_producer"_s, 12);
    if (preset.name == u"pipe-ping-pong"_s)
        spec.set(u"pipe.messages"_s, 2'000);
    if (preset.name == u"pool-tiny"_s)
        spec.set(u"tasks.count"_s, 20'000);
    if (preset.name == u"pool-crash"_s) {
        QJsonArray list = spec.value(u"tasks.args_list"_s).toArray();
        for (qsizetype i = 0; i < list.size(); ++i) {
            QJsonObject args = list[i].toObject();
            args[u"work_s"_s] = args[u"work_s"_s].toDouble() / 4;
            list[i] = args;
        }
        spec.set(u"tasks.args_list"_s, list);
    }
    if (preset.name == u"pool-primes"_s)
        spec.set(u"tasks.count"_s, 4);
    return spec;
}

/// A run in which every place has to say the same.
struct NamedSpec
{
    QString name;
    ExperimentSpec spec;
};

/// Every preset, a run of about 100 ms and one of a million tasks.
inline QList<NamedSpec> runsToCompare()
{
    using namespace Qt::StringLiterals;
    QList<NamedSpec> runs;
    for (const Preset &preset : presets())
        runs.append({preset.name, shortened(preset)});
    ExperimentSpec brief(u"pool"_s);
    brief.set(u"pool.workers"_s, 2);
    brief.set(u"tasks"_s,
              QJsonObject{{u"task"_s, u"io.sleep"_s},
                          {u"args"_s, QJsonObject{{u"min_s"_s, 0.01}, {u"max_s"_s, 0.01}}},
                          {u"count"_s, 20}});
    runs.append({u"100 ms"_s, brief});
    ExperimentSpec large = shortened(*findPreset(u"pool-tiny"_s));
    large.set(u"tasks.count"_s, 1'000'000);
    runs.append({u"a million tasks"_s, large});
    return runs;
}

/// Where a kind tells of the work that is done, and of its pace.
struct Pace
{
    int gauge;          ///< A rate; its total is what is done. Below 0: it has no pace.
    const char *figure; ///< Of the outcome, or of the totals: the same rate over the whole run.
    const char *done;   ///< The same of what is done; null: the last picture's.
};

inline Pace paceOf(const QString &kind)
{
    using namespace Qt::StringLiterals;
    if (kind == u"pool"_s || kind == u"executor"_s)
        return {PoolGauges::Throughput, "throughput_per_s", "done"};
    if (kind == u"pipeline"_s)
        return {PipelineGauges::GetRate, "items_per_s", "consumed"};
    if (kind == u"pipe"_s)
        return {PipeGauges::MessageRate, "messages_per_s", "messages_received"};
    if (kind == u"process"_s || kind == u"program"_s || kind == u"fork"_s)
        return {-1, nullptr, nullptr};
    return {CounterGauges::IncrementRate, "increments_per_s", nullptr};
}

/// @p key of the result's outcome, or of its totals.
inline double figureOf(const QJsonObject &json, const char *key)
{
    const QString name = QString::fromLatin1(key);
    const QJsonObject outcome = json[QStringLiteral("outcome")].toObject();
    const QJsonObject totals = json[QStringLiteral("totals")].toObject();
    return (outcome.contains(name) ? outcome : totals)[name].toDouble(-1);
}

/// @p a and @p b are the same but for how they were rounded on their way.
inline bool isOne(double a, double b)
{
    return std::abs(a - b) <= 1e-6 * std::max({1.0, std::abs(a), std::abs(b)});
}

} // namespace proclab::test
