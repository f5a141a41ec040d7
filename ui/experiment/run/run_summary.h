// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_result.h"
#include "ui/shared/banner.h"

#include <QString>

namespace proclab {

/// What a run came to, in the two lines of a banner.
struct RunSummary
{
    Banner::Tone tone = Banner::Tone::Info;
    QString title;
    QString detail;
};

[[nodiscard]] RunSummary summaryOf(const RunResult &result);

/// The Python-like line of @p spec's kind with its {path} places filled in.
[[nodiscard]] QString codeLine(const ExperimentSpec &spec);

} // namespace proclab
