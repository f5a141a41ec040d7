// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/experiment/spec/spec.h"
#include "core/runtime/memory/segment.h"
#include "core/runtime/task/run_header.h"

#include <QByteArray>

#include <cstddef>
#include <vector>

namespace proclab {

/// Collects what workers only read, and makes the segment that holds it.
class TaskInput
{
public:
    TaskInput();

    /// The arguments at `PATH.args`, or each of `PATH.args_list`, for the workload at `PATH.task`.
    /// The spec is checked: unknown names do not occur.
    runtime::ArgumentRange addArguments(const ExperimentSpec &spec, const QString &path);
    /// OsError: no memory or no descriptor.
    Result<runtime::Segment> makeSegment() const;

private:
    QByteArray m_bytes; // Offset 0 is never given out: it means "none".
};

/// The arguments at `PATH.args`, or number @p index of `PATH.args_list`, for the workload at
/// `PATH.task`, which is set.
[[nodiscard]] std::vector<std::byte> encodedArguments(const ExperimentSpec &spec,
                                                      const QString &path, qsizetype index = 0);
/// Position of the workload at `PATH.task`; runtime::noTask if it is not set.
[[nodiscard]] quint32 workloadNumber(const ExperimentSpec &spec, const QString &path);

} // namespace proclab
