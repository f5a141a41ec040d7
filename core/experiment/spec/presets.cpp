// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/presets.h"

#include <QCoreApplication>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// The title or description of a preset; they are extracted from the index for translators.
QString translated(const QJsonValue &text)
{
    return QCoreApplication::translate("Preset", text.toString().toUtf8().constData());
}

QList<Preset> loadPresets()
{
    QFile index(u":/presets/index.json"_s);
    const bool isOpen = index.open(QIODevice::ReadOnly);
    Q_ASSERT(isOpen);
    QList<Preset> all;
    for (const QJsonValue &entry : QJsonDocument::fromJson(index.readAll()).array()) {
        const QString name = entry[u"name"_s].toString();
        auto spec = ExperimentSpec::load(u":/presets/%1.proclab.json"_s.arg(name));
        Q_ASSERT(isOpen && spec.has_value());
        if (spec)
            all.append(
                {name, translated(entry[u"title"_s]), translated(entry[u"description"_s]), *spec});
    }
    return all;
}

} // namespace

const QList<Preset> &presets()
{
    static const QList<Preset> all = loadPresets();
    return all;
}

std::optional<Preset> findPreset(const QString &name)
{
    const auto found = std::find_if(presets().begin(), presets().end(),
                                    [&](const Preset &preset) { return preset.name == name; });
    return found == presets().end() ? std::nullopt : std::optional(*found);
}

} // namespace proclab
