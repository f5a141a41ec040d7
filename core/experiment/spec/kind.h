// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/experiment/spec/field.h"
#include "core/experiment/spec/gauge_chart.h"
#include "core/experiment/spec/measure.h"
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
struct Explanation;
struct RunFacts;
struct RunNote;
struct RunnerContext;

/// A ready experiment of a kind, which stands in resources/presets under its name.
struct PresetInfo
{
    QString name;
    QString title;
    QString description; ///< One line.
};

/// What processes of a kind may wait for, beside a core.
enum class WaitCause { Task, FullQueue, EmptyQueue, FullPipe, EmptyPipe, Lock };

/// One kind of experiment: the row by which the command line, the form, the window and a run know
/// it. Nothing else names it.
struct Kind
{
    QString name;      ///< As in files: one word in lower case.
    QString title;     ///< For people.
    QString subtitle;  ///< What it is about, in one line.
    QString page = {}; ///< The page of the window that it is a guest on; empty: it has its own.
    QString code; ///< The Python call that it is about; paths of fields in braces stand for values.
    QList<PresetInfo> presets; ///< The page opens with the first.

    Schema schema; ///< Empty: planned, can't run yet.
    /// What the ranges of single fields can't say; appends to faults.
    void (*check)(const ExperimentSpec &spec, QList<Error> &faults) = nullptr;
    std::unique_ptr<ExperimentRunner> (*makeRunner)(RunnerContext context) = nullptr;

    std::vector<ProcessRole> roles;
    QString crewField; ///< How many processes share the work; empty: each has work of its own.
    QList<WaitCause> waits;
    QString items;          ///< What the processes work on, in the plural: "increments".
    QString itemNamesField; ///< A field with a list of texts, the names of the items; empty: none.
    QStringList gauges; ///< The numbers over time that its runner fills, by name: "queue_depth".
    QList<GaugeChart> charts;
    QList<TimelineTrack> tracks; ///< From the top; those below all processes come last.
    /// One or two translated sentences: what became of the work of a process that died, and what
    /// Python would have done. May be empty.
    QString (*deathText)(const DeathFacts &facts) = nullptr;
    /// The translated line for a note whose code begins with the kind's name; see RunNote.
    QString (*noteText)(const RunLog &log, const RunNote &note) = nullptr;
    /// What its own rules find in a run that has ended; appends. See core/experiment/explain.
    void (*explain)(const RunFacts &facts, QList<Explanation> &found) = nullptr;
    /// The translated sentences for what they found.
    QString (*explanationText)(const RunLog &log, const RunNote &note) = nullptr;

    bool hasTasks = false; ///< A result is a task's; else a process's.
    /// Whether results are listed as they came, not by number. Null: they never are.
    bool (*listsByCompletion)(const ExperimentSpec &spec) = nullptr;
    QList<Measure> measures;

    [[nodiscard]] bool isAvailable() const { return makeRunner != nullptr; }
};

/// All kinds, in the order of the rail. Built once at first use, with the translators of that
/// moment. Thread-safe.
[[nodiscard]] std::span<const Kind> kinds();
[[nodiscard]] const Kind *findKind(const QString &name);
/// Of those that are available.
[[nodiscard]] QStringList availableKindNames();
/// What is shown, and what a spec is of, where no kind is named.
[[nodiscard]] const Kind &usualKind();

} // namespace proclab
