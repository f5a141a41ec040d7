// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/experiment/spec/field.h"
#include "core/experiment/spec/gauge_chart.h"
#include "core/experiment/spec/process_role.h"
#include "core/experiment/spec/timeline_track.h"

#include <QString>
#include <QStringList>

#include <memory>
#include <span>
#include <vector>

namespace proclab {

class ExperimentRunner;
class ExperimentSpec;
class RunLog;
struct DeathFacts;
struct RunNote;
struct RunnerContext;

/// One kind of experiment: the row that adds it to the command line, the form, the rail and the
/// charts.
struct Kind
{
    QString name;          ///< "pool", as in the file.
    QString title;         ///< "Pool"
    QString subtitle;      ///< "Workers share one task queue"
    QString code;          ///< The Python call that the page is about, with {path} placeholders:
                           ///< "Pool({pool.workers}).{pool.method}(…)"
    Schema schema;         ///< Empty: planned, can't run yet.
    QStringList gauges;    ///< The numbers over time that its runner fills, by name: "queue_depth".
    QString items;         ///< What its processes work on, in the plural: "increments".
    bool hasTasks = false; ///< A result is that of a task; else of a process.
    std::vector<ProcessRole> roles;
    QList<GaugeChart> charts;
    QList<TimelineTrack> tracks; ///< From the top; those below all processes come last.
    QString firstPreset;         ///< What the page opens with.
    /// What the ranges of single fields can't say; appends to faults.
    void (*check)(const ExperimentSpec &spec, QList<Error> &faults) = nullptr;
    /// The translated line for a note whose code begins with the kind's name; see RunNote.
    QString (*noteText)(const RunLog &log, const RunNote &note) = nullptr;
    /// Whether results are listed as they came, not by number. Null: they never are.
    bool (*listsByCompletion)(const ExperimentSpec &spec) = nullptr;
    /// One or two translated sentences: what became of the work of a process that died, and what
    /// Python would have done. May be empty.
    QString (*deathText)(const DeathFacts &facts) = nullptr;
    std::unique_ptr<ExperimentRunner> (*makeRunner)(RunnerContext context) = nullptr;

    [[nodiscard]] bool isAvailable() const { return makeRunner != nullptr; }
};

/// All kinds, in the order of the rail. Built once at first use, with the translators of that
/// moment. Thread-safe.
[[nodiscard]] std::span<const Kind> kinds();
[[nodiscard]] const Kind *findKind(const QString &name);

} // namespace proclab
