// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/spec_argument.h"

#include "core/base/nearest_name.h"
#include "core/experiment/spec/json_scan.h"
#include "core/experiment/spec/presets.h"

#include <QCoreApplication>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include <cerrno>
#include <cstdio>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("SpecArgument", text);
}

Result<ExperimentSpec> presetOf(const QString &word)
{
    if (const auto preset = findPreset(word))
        return preset->spec;
    const QStringList names = presetNames();
    const Error error = invalidArgument(
        word.isEmpty() ? u"\"\""_s : word, tr("no preset of this name"),
        tr("allowed: %1, or a file, which has a / or an extension").arg(names.join(u", "_s)));
    return withSuggestion(error, word, names);
}

/// From standard input, up to its end.
Result<ExperimentSpec> readInput(QList<Error> &faults)
{
    const QString name = tr("standard input");
    QFile input;
    if (!input.open(stdin, QIODevice::ReadOnly))
        return osError(name, EIO, tr("read it"));
    // One byte more than is allowed is enough to be refused.
    return ExperimentSpec::parse(input.read(ExperimentSpec::maxFileBytes + 1), name, &faults);
}

/// JSON if it is JSON, else a text.
QJsonValue settingValue(const QString &text)
{
    const QByteArray json = '[' + text.toUtf8() + ']';
    if (const JsonScan scan = scanJson(json); scan.fault || !scan.duplicates.isEmpty())
        return text;
    const QJsonArray list = QJsonDocument::fromJson(json).array();
    return list.size() == 1 ? list.first() : QJsonValue(text);
}

void applySetting(ExperimentSpec &spec, const QString &setting, QList<Error> &faults)
{
    const qsizetype equals = setting.indexOf(u'=');
    const QString path = setting.left(equals);
    if (equals < 1 || path.split(u'.').contains(QString()))
        faults.append(invalidArgument(u"--set"_s, tr("\"%1\" is not KEY=VALUE").arg(setting),
                                      tr("such as tasks.count=8")));
    else
        spec.set(path, settingValue(setting.mid(equals + 1)));
}

} // namespace

bool isFileName(const QString &word)
{
    return word.contains(u'/') || word.contains(u'.');
}

std::optional<ExperimentSpec> readSpec(const QString &word, const QStringList &settings,
                                       QList<Error> &faults)
{
    auto spec = word == u"-"_s     ? readInput(faults)
                : isFileName(word) ? ExperimentSpec::load(word, &faults)
                                   : presetOf(word);
    if (!spec) {
        if (faults.isEmpty())
            faults.append(spec.error());
        return {};
    }
    const ExperimentSpec original = *spec;
    for (const QString &setting : settings)
        applySetting(*spec, setting, faults);
    spec->tellChangesSince(original);
    if (faults.isEmpty())
        faults = spec->check();
    return faults.isEmpty() ? std::optional(*spec) : std::nullopt;
}

} // namespace proclab::cli
