// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/spec.h"

#include <QStringList>

#include <optional>

namespace proclab::cli {

/// Whether @p word means a file: it has a / or an extension.
[[nodiscard]] bool isFileName(const QString &word);

/// The experiment that @p word means, a preset, a file or - for standard input, with @p settings
/// (KEY=VALUE) applied. Nothing, and what is wrong in @p faults, if it can't run.
[[nodiscard]] std::optional<ExperimentSpec>
readSpec(const QString &word, const QStringList &settings, QList<Error> &faults);

} // namespace proclab::cli
