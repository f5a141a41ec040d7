// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/form/argument_fields.h"

#include "core/runtime/workloads/workload.h"

#include <QCoreApplication>

#include <string>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QString fromView(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

/// "min_s" with the unit "s" reads "Min", "cpu_s" reads "CPU".
QString labelOf(const runtime::ArgumentInfo &info)
{
    QString label = fromView(info.name);
    const QString unitSuffix = u'_' + fromView(info.unit);
    if (label.endsWith(unitSuffix) && !info.unit.empty())
        label.chop(unitSuffix.size());
    if (label.size() == 1)
        return label;
    if (label == u"cpu"_s)
        return label.toUpper();
    label.replace(u'_', u' ');
    label[0] = label[0].toUpper();
    return label;
}

Field::Type typeOf(runtime::ArgumentType type)
{
    switch (type) {
    case runtime::ArgumentType::Integer:
        return Field::Type::Integer;
    case runtime::ArgumentType::Number:
        return Field::Type::Number;
    case runtime::ArgumentType::Flag:
        return Field::Type::Flag;
    case runtime::ArgumentType::Text:
        return Field::Type::Text;
    }
    return Field::Type::Text;
}

QJsonValue defaultOf(const runtime::ArgumentInfo &info)
{
    switch (info.type) {
    case runtime::ArgumentType::Integer:
        return static_cast<qint64>(info.defaultNumber);
    case runtime::ArgumentType::Number:
        return info.defaultNumber;
    case runtime::ArgumentType::Flag:
        return info.defaultNumber != 0;
    case runtime::ArgumentType::Text:
        return fromView(info.defaultText);
    }
    return {};
}

std::span<const runtime::ArgumentInfo> argumentsOf(const QString &workload)
{
    const runtime::WorkloadInfo *info = runtime::findWorkload(workload.toStdString());
    return info == nullptr ? std::span<const runtime::ArgumentInfo>() : info->arguments;
}

} // namespace

QList<Field> argumentFields(const QString &workload, const Field &parent)
{
    QList<Field> fields;
    for (const runtime::ArgumentInfo &info : argumentsOf(workload)) {
        Field field;
        field.path = parent.path % u'.' % fromView(info.name);
        field.type = typeOf(info.type);
        field.group = parent.group;
        field.label = labelOf(info);
        field.unit = fromView(info.unit);
        field.help = QCoreApplication::translate("Workload", std::string(info.help).c_str());
        field.minimum = info.minimum;
        field.maximum = info.maximum;
        field.defaultValue = defaultOf(info);
        fields << field;
    }
    return fields;
}

QJsonValue argumentDefault(const QString &workload, const QString &argument)
{
    for (const runtime::ArgumentInfo &info : argumentsOf(workload)) {
        if (fromView(info.name) == argument)
            return defaultOf(info);
    }
    return QJsonValue(QJsonValue::Undefined);
}

} // namespace proclab
