// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/kind_help.h"

#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("KindHelp", text);
}

QString typeText(Field::Type type)
{
    switch (type) {
    case Field::Type::Integer:
        return tr("integer");
    case Field::Type::Number:
        return tr("number");
    case Field::Type::Flag:
        return tr("flag");
    case Field::Type::Choice:
        return tr("choice");
    case Field::Type::Text:
        return tr("text");
    case Field::Type::TextList:
        return tr("list of texts");
    case Field::Type::TextMap:
        return tr("object of texts");
    case Field::Type::IntegerOrAuto:
        return tr("integer or auto");
    case Field::Type::Workload:
        return tr("workload");
    case Field::Type::Arguments:
        return tr("object");
    case Field::Type::ArgumentsList:
        return tr("list of objects");
    }
    return {};
}

QString rangeText(const Field &field)
{
    const QString range = tr("%1 to %2").arg(numberText(field.minimum), numberText(field.maximum));
    const QString withUnit = field.unit.isEmpty() ? range : QString(range % u' ' % field.unit);
    switch (field.type) {
    case Field::Type::Integer:
    case Field::Type::Number:
        return withUnit;
    case Field::Type::IntegerOrAuto:
        return tr("%1, or auto").arg(withUnit);
    case Field::Type::Flag:
        return tr("true or false");
    case Field::Type::Choice:
        return field.choices.join(u", "_s);
    case Field::Type::Text:
        return tr("%1 bytes").arg(range);
    case Field::Type::TextList:
    case Field::Type::TextMap:
    case Field::Type::ArgumentsList:
        return tr("%1 entries").arg(range);
    case Field::Type::Workload:
        return tr("a name from proclab-cli workloads");
    case Field::Type::Arguments:
        return tr("what the workload takes");
    }
    return {};
}

QString defaultText(const Field &field)
{
    const QJsonValue &value = field.defaultValue;
    if (!field.defaultText.isEmpty())
        return field.defaultText;
    if (field.type == Field::Type::Arguments)
        return tr("its defaults");
    return value.isNull() ? tr("none") : value.isString() ? value.toString() : foundText(value);
}

/// A line a field, in columns; the last two, which may be long, in one.
QString fieldLines(const Schema &schema)
{
    qsizetype width = 0;
    for (const Field &field : schema)
        width = std::max(width, field.path.size());
    const QString row = u"  %1  %2  %3 [%4]\n"_s;
    const auto line = [&](const QString &path, const QString &type, const QString &range,
                          const QString &usual) {
        return row.arg(path.leftJustified(width), type.leftJustified(15), range, usual);
    };
    QString text = line(tr("Field"), tr("Type"), tr("Range"), tr("default"));
    for (const Field &field : schema)
        text += line(field.path, typeText(field.type), rangeText(field), defaultText(field));
    return text;
}

QString presetLines(const QList<PresetInfo> &presets)
{
    QString text;
    for (const PresetInfo &preset : presets)
        text += u"  %1 %2\n"_s.arg(preset.name, -24).arg(preset.title);
    return text;
}

/// A run of the kind's first preset, with the kind's first number changed.
QString example(const Kind &kind)
{
    const auto field = std::find_if(kind.schema.begin(), kind.schema.end(), [](const Field &one) {
        return one.type == Field::Type::Integer;
    });
    return u"  proclab-cli run %1 --set %2=%3\n"_s.arg(kind.presets.first().name, field->path,
                                                       numberText(field->minimum + 2));
}

} // namespace

QString kindHelp(const Kind &kind)
{
    const QString title = u"%1: %2\n\n"_s.arg(kind.name, kind.subtitle);
    if (!kind.isAvailable())
        return title % tr("This kind is planned and cannot run yet.\n");
    QString text = title % fieldLines(kind.schema);
    if (kind.hasTasks)
        text += tr("\nA file must have tasks.task, and tasks.count or tasks.args_list.\n");
    return text % tr("\nPresets:\n") % presetLines(kind.presets) % tr("\nExample:\n") %
           example(kind);
}

} // namespace proclab::cli
