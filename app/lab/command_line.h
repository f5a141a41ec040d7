// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/presets.h"
#include "ui/shared/theme.h"

#include <QSize>
#include <QString>
#include <QStringList>

#include <chrono>
#include <optional>

namespace proclab {

/// What the command line of `proclab` asks for.
struct LabOptions
{
    QString page; ///< Always the name of a page.
    std::optional<Preset> preset;
    std::optional<ExperimentSpec> spec; ///< From the file.
    QString faultyFile; ///< A file that is no experiment, for the window to tell; empty: none.
    bool run = false;
    std::optional<Theme::Mode> theme; ///< nullopt: as it was last.
    std::optional<QSize> size;
    QString screenshot; ///< The picture's file; empty: none.
    std::chrono::milliseconds screenshotAfter{0};
};

/// The outcome of reading a command line: options to go on with, or what to print and how to end.
struct CommandLine
{
    std::optional<LabOptions> options;
    QString output;         ///< For standard output: help or version.
    QStringList errorLines; ///< For standard error, each without the program's name.
    int exitStatus = 0;     ///< Where there are no options.
};

/// Reads @p arguments, the program's name first, and the file that they name.
[[nodiscard]] CommandLine readCommandLine(const QStringList &arguments);

} // namespace proclab
