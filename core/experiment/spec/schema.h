// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/experiment/spec/field.h"

#include <QList>

namespace proclab {

/// The fields that kinds share, each with its range and default, and the checks that go with them.

/// `title` [@p kind], `seed`, `time_limit_s`.
[[nodiscard]] Schema runFields(const QString &kind);
/// `tasks`: which workload, how often, with which arguments.
[[nodiscard]] Schema taskFields();
/// A workload that each item goes through: `BLOCK.task` [none] and `BLOCK.args`.
[[nodiscard]] Schema workFields(const QString &block, const QString &group, const QString &label,
                                const QString &help);
/// `BLOCK.start_method`.
[[nodiscard]] Field startMethodField(const QString &block, const QString &group);

/// What a file of this kind must say and does not: `tasks` with `task` and `count`, where the kind
/// has tasks.
[[nodiscard]] QList<Error> missingFields(const ExperimentSpec &spec);

/// Appends a fault if the workload at `BLOCK.task` never ends by itself and none of @p limits is
/// above 0.
void checkEnds(const ExperimentSpec &spec, const QString &block, const QStringList &limits,
               QList<Error> &faults);
/// Appends a fault if the time at @p path is neither 0 nor a millisecond or more.
void checkTime(const ExperimentSpec &spec, const QString &path, QList<Error> &faults);
/// Appends what is wrong in `tasks` as a whole: arguments given twice, a count that differs from
/// the list.
void checkTasks(const ExperimentSpec &spec, QList<Error> &faults);

} // namespace proclab
