// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/presets.h"

#include "core/experiment/spec/kind.h"

#include <QFile>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QList<Preset> loadPresets()
{
    QList<Preset> all;
    for (const Kind &kind : kinds()) {
        for (const PresetInfo &info : kind.presets) {
            QFile file(u":/presets/%1.proclab.json"_s.arg(info.name));
            [[maybe_unused]] const bool isOpen = file.open(QIODevice::ReadOnly);
            Q_ASSERT(isOpen);
            auto spec = ExperimentSpec::parse(file.readAll(), file.fileName());
            Q_ASSERT(spec.has_value());
            if (spec)
                all.append({info.name, info.title, info.description, *spec});
        }
    }
    return all;
}

} // namespace

const QList<Preset> &presets()
{
    static const QList<Preset> all = loadPresets();
    return all;
}

QStringList presetNames()
{
    QStringList names;
    for (const Preset &preset : presets())
        names.append(preset.name);
    return names;
}

std::optional<Preset> findPreset(const QString &name)
{
    const auto found = std::find_if(presets().begin(), presets().end(),
                                    [&](const Preset &preset) { return preset.name == name; });
    return found == presets().end() ? std::nullopt : std::optional(*found);
}

} // namespace proclab
