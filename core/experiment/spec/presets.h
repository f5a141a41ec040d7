// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/spec.h"

#include <QList>
#include <QString>
#include <QStringList>

#include <optional>

namespace proclab {

/// A ready experiment, from resources/presets: a file like any other, with what the row of its kind
/// says of it.
struct Preset
{
    QString name;
    QString title;       ///< Translated.
    QString description; ///< One line, translated.
    ExperimentSpec spec;
};

/// All presets, those of a kind together, in the order of kinds and of their rows. Thread-safe.
[[nodiscard]] const QList<Preset> &presets();
[[nodiscard]] QStringList presetNames();
[[nodiscard]] std::optional<Preset> findPreset(const QString &name);

} // namespace proclab
