// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/list_commands.h"

#include "app/cli/console.h"
#include "app/cli/exit_status.h"
#include "app/cli/spec_argument.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/presets.h"
#include "core/runtime/workloads/workload.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("ListCommands", text);
}

QString fromView(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString typeName(runtime::ArgumentType type)
{
    switch (type) {
    case runtime::ArgumentType::Integer:
        return u"integer"_s;
    case runtime::ArgumentType::Number:
        return u"number"_s;
    case runtime::ArgumentType::Flag:
        return u"flag"_s;
    case runtime::ArgumentType::Text:
        return u"text"_s;
    }
    return {};
}

QJsonObject argumentObject(const runtime::WorkloadInfo &workload,
                           const runtime::ArgumentInfo &argument)
{
    const QString name = fromView(argument.name);
    QJsonObject object{{u"name"_s, name},
                       {u"type"_s, typeName(argument.type)},
                       {u"unit"_s, fromView(argument.unit)},
                       {u"help"_s, fromView(argument.help)},
                       {u"default"_s, argumentDefaultOf(fromView(workload.name), name)}};
    if (argument.type != runtime::ArgumentType::Flag) {
        object.insert(u"minimum"_s, argument.minimum);
        object.insert(u"maximum"_s, argument.maximum);
    }
    return object;
}

QJsonObject workloadObject(const runtime::WorkloadInfo &workload)
{
    QJsonArray arguments;
    for (const runtime::ArgumentInfo &argument : workload.arguments)
        arguments.append(argumentObject(workload, argument));
    return {{u"name"_s, fromView(workload.name)},
            {u"title"_s, fromView(workload.title)},
            {u"description"_s, fromView(workload.description)},
            {u"result"_s, fromView(workload.result)},
            {u"arguments"_s, arguments},
            {u"needs_time_limit"_s, workload.needsTimeLimit}};
}

QString workloadLine(const runtime::WorkloadInfo &workload)
{
    QStringList arguments;
    for (const runtime::ArgumentInfo &argument : workload.arguments) {
        const QString name = fromView(argument.name);
        arguments.append(name % u'=' % foundText(argumentDefaultOf(fromView(workload.name), name)));
    }
    return u"%1 %2 {%3}\n"_s.arg(fromView(workload.name), -16)
        .arg(fromView(workload.description), arguments.join(u", "_s));
}

int printed(const QString &text)
{
    return print(text) ? AllWentWell : EngineFailed;
}

int printedJson(const QJsonArray &list)
{
    return printed(QString::fromUtf8(QJsonDocument(list).toJson()));
}

} // namespace

int checkSpec(const CommandLine &line)
{
    QList<Error> faults;
    if (readSpec(line.operands.first(), {}, faults))
        return printed(tr("%1: no faults\n").arg(line.operands.first()));
    printErrors(faults);
    return BadUsage;
}

int listPresets(const CommandLine &line)
{
    QJsonArray list;
    QString text;
    for (const Preset &preset : presets()) {
        text += u"%1 %2: %3\n"_s.arg(preset.name, -24).arg(preset.title, preset.description);
        list.append(QJsonObject{{u"name"_s, preset.name},
                                {u"title"_s, preset.title},
                                {u"description"_s, preset.description},
                                {u"kind"_s, preset.spec.kind()},
                                {u"spec"_s, preset.spec.toJson()}});
    }
    return line.has(u"--json"_s) ? printedJson(list) : printed(text);
}

int listWorkloads(const CommandLine &line)
{
    QJsonArray list;
    QString text;
    for (const runtime::WorkloadInfo &workload : runtime::workloads()) {
        text += workloadLine(workload);
        list.append(workloadObject(workload));
    }
    return line.has(u"--json"_s) ? printedJson(list) : printed(text);
}

} // namespace proclab::cli
