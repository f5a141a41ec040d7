// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/field_check.h"

#include "core/base/nearest_name.h"
#include "core/runtime/workloads/workload.h"

#include <QJsonArray>
#include <QLocale>

#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qsizetype longestQuote = 60;

QString fromView(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString typeText(const QJsonValue &value)
{
    switch (value.type()) {
    case QJsonValue::Null:
        return {};
    case QJsonValue::Bool:
        return SpecText::tr("%1 is a truth value").arg(foundText(value));
    case QJsonValue::Double:
        return SpecText::tr("%1 is a number").arg(foundText(value));
    case QJsonValue::String:
        return SpecText::tr("%1 is a text").arg(foundText(value));
    default:
        return foundText(value);
    }
}

QString rangeText(const Field &field)
{
    return SpecText::tr("%1 to %2").arg(numberText(field.minimum), numberText(field.maximum));
}

std::optional<Error> checkRange(const QString &path, double number, double minimum, double maximum)
{
    if (number < minimum)
        return invalidArgument(
            path,
            SpecText::tr("%1 is below the minimum %2").arg(numberText(number), numberText(minimum)),
            {});
    if (number > maximum)
        return invalidArgument(
            path,
            SpecText::tr("%1 is above the maximum %2").arg(numberText(number), numberText(maximum)),
            {});
    return {};
}

std::optional<Error> checkNumber(const Field &field, const QJsonValue &value)
{
    const bool isWhole = field.type != Field::Type::Number;
    const bool mayBeAuto = field.type == Field::Type::IntegerOrAuto;
    if (mayBeAuto && value.toString() == u"auto"_s)
        return {};
    QString allowed =
        isWhole ? SpecText::tr("an integer from %1") : SpecText::tr("a number from %1");
    allowed = allowed.arg(rangeText(field));
    if (mayBeAuto)
        allowed = SpecText::tr("%1, or \"auto\"").arg(allowed);
    if (!value.isDouble())
        return withSuggestion(wrongType(field.path, value, allowed), value.toString(),
                              mayBeAuto ? QStringList{u"auto"_s} : QStringList());
    const double number = value.toDouble();
    if (isWhole && std::floor(number) != number)
        return invalidArgument(field.path,
                               SpecText::tr("%1 is not an integer").arg(foundText(value)),
                               SpecText::tr("allowed: %1").arg(allowed));
    return checkRange(field.path, number, field.minimum, field.maximum);
}

std::optional<Error> checkText(const Field &field, const QJsonValue &value)
{
    if (!value.isString())
        return wrongType(field.path, value, SpecText::tr("a text"));
    const auto bytes = static_cast<double>(value.toString().toUtf8().size());
    if (bytes < field.minimum || bytes > field.maximum)
        return invalidArgument(field.path,
                               SpecText::tr("a text of %1 bytes").arg(numberText(bytes)),
                               SpecText::tr("allowed: %1 bytes").arg(rangeText(field)));
    return {};
}

std::optional<Error> checkChoice(const Field &field, const QJsonValue &value,
                                 const QStringList &choices)
{
    const QString allowed = choices.join(u", "_s);
    if (!value.isString())
        return wrongType(field.path, value, allowed);
    if (choices.contains(value.toString()))
        return {};
    const Error error = invalidArgument(
        field.path, SpecText::tr("%1 is not one of %2").arg(foundText(value), allowed), {});
    return withSuggestion(error, value.toString(), choices);
}

std::optional<Error> checkList(const Field &field, const QJsonValue &value)
{
    const bool ofTexts = field.type == Field::Type::TextList;
    const QString allowed =
        ofTexts ? SpecText::tr("a list of texts") : SpecText::tr("a list of objects");
    if (!value.isArray())
        return wrongType(field.path, value, allowed);
    const QJsonArray list = value.toArray();
    const auto size = static_cast<double>(list.size());
    if (size < field.minimum || size > field.maximum)
        return invalidArgument(field.path, SpecText::tr("a list of %1").arg(numberText(size)),
                               SpecText::tr("allowed: %1 entries").arg(rangeText(field)));
    for (qsizetype i = 0; i < list.size(); ++i) {
        const QJsonValue entry = list.at(i);
        if (ofTexts ? !entry.isString() : !entry.isObject())
            return wrongType(field.path % u'.' % QString::number(i), entry,
                             ofTexts ? SpecText::tr("a text") : SpecText::tr("an object"));
    }
    return {};
}

std::optional<Error> checkMap(const Field &field, const QJsonValue &value)
{
    if (!value.isObject())
        return wrongType(field.path, value, SpecText::tr("an object of texts"));
    const QJsonObject object = value.toObject();
    const auto size = static_cast<double>(object.size());
    if (size < field.minimum || size > field.maximum)
        return invalidArgument(field.path, SpecText::tr("an object of %1").arg(numberText(size)),
                               SpecText::tr("allowed: %1 entries").arg(rangeText(field)));
    for (auto entry = object.begin(); entry != object.end(); ++entry) {
        if (!entry->isString())
            return wrongType(field.path % u'.' % printable(entry.key()), *entry,
                             SpecText::tr("a text"));
    }
    return {};
}

QStringList workloadNames()
{
    QStringList names;
    for (const runtime::WorkloadInfo &workload : runtime::workloads())
        names.append(fromView(workload.name));
    return names;
}

const runtime::WorkloadInfo *workloadOf(const QString &task)
{
    return runtime::findWorkload(task.toStdString());
}

/// The argument as a field, so that it is checked like one.
Field fieldOf(const runtime::ArgumentInfo &info, const QString &path)
{
    Field field;
    field.path = path;
    field.minimum = info.minimum;
    field.maximum = info.maximum;
    switch (info.type) {
    case runtime::ArgumentType::Integer:
        field.type = Field::Type::Integer;
        field.defaultValue = static_cast<qint64>(info.defaultNumber);
        break;
    case runtime::ArgumentType::Number:
        field.type = Field::Type::Number;
        field.defaultValue = info.defaultNumber;
        break;
    case runtime::ArgumentType::Flag:
        field.type = Field::Type::Flag;
        field.defaultValue = info.defaultNumber != 0;
        break;
    case runtime::ArgumentType::Text:
        field.type = Field::Type::Text;
        field.defaultValue = fromView(info.defaultText);
        break;
    }
    return field;
}

/// An argument below the one that it must reach, one of which may be a default.
std::optional<Error> checkOrder(const QString &task, const QString &path,
                                const QJsonObject &arguments, const runtime::ArgumentInfo &info)
{
    if (info.atLeast.empty())
        return {};
    const auto valueOf = [&](const QString &name) {
        return arguments.contains(name) ? arguments.value(name) : argumentDefaultOf(task, name);
    };
    const QString name = fromView(info.name);
    const QString other = fromView(info.atLeast);
    const QJsonValue value = valueOf(name);
    const QJsonValue least = valueOf(other);
    if (!value.isDouble() || !least.isDouble() || value.toDouble() >= least.toDouble())
        return {};
    return invalidArgument(path % u'.' % name,
                           SpecText::tr("%1 is below %2").arg(foundText(value), other),
                           SpecText::tr("allowed: %1 or more").arg(foundText(least)));
}

} // namespace

QString printable(const QString &text)
{
    QString line;
    for (const QChar c : QStringView(text).left(longestQuote)) {
        if (c.isPrint() || c.isSurrogate())
            line += c;
        else
            line += u"\\u%1"_s.arg(c.unicode(), 4, 16, QLatin1Char('0'));
    }
    return text.size() > longestQuote ? QString(line % u'…') : line;
}

QString foundText(const QJsonValue &value)
{
    switch (value.type()) {
    case QJsonValue::Null:
        return u"null"_s;
    case QJsonValue::Bool:
        return value.toBool() ? u"true"_s : u"false"_s;
    case QJsonValue::Double: {
        // Beyond 2^53 a double no longer has the digits that stand in the file.
        const qint64 integer = value.toInteger();
        return integer != 0 ? QString::number(integer) : numberText(value.toDouble());
    }
    case QJsonValue::String:
        return u'"' % printable(value.toString()) % u'"';
    case QJsonValue::Array:
        return SpecText::tr("a list");
    case QJsonValue::Object:
        return SpecText::tr("an object");
    case QJsonValue::Undefined:
        break;
    }
    return SpecText::tr("nothing");
}

QString numberText(double number)
{
    const double size = std::abs(number);
    const bool isPlain = size == 0 || (size >= 1e-6 && size < 1e16);
    return QString::number(number, isPlain ? 'f' : 'g', QLocale::FloatingPointShortest);
}

Error wrongType(const QString &path, const QJsonValue &value, const QString &allowed)
{
    const QString found = value.isNull() ? foundText(value) : typeText(value);
    return invalidArgument(path, found, SpecText::tr("allowed: %1").arg(allowed));
}

Error unknownKey(const QString &path, const QStringList &allowed, const QString &elsewhere)
{
    const Error error =
        invalidArgument(path, SpecText::tr("unknown"),
                        allowed.isEmpty() ? SpecText::tr("no key is allowed here")
                                          : SpecText::tr("allowed: %1").arg(allowed.join(u", "_s)));
    return elsewhere.isEmpty() ? withSuggestion(error, path.section(u'.', -1), allowed)
                               : withSuggestion(error, elsewhere, {elsewhere});
}

std::optional<Error> checkValue(const Field &field, const QJsonValue &value)
{
    switch (field.type) {
    case Field::Type::Integer:
    case Field::Type::Number:
    case Field::Type::IntegerOrAuto:
        return checkNumber(field, value);
    case Field::Type::Flag:
        if (!value.isBool())
            return wrongType(field.path, value, SpecText::tr("true or false"));
        return {};
    case Field::Type::Choice:
        return checkChoice(field, value, field.choices);
    case Field::Type::Workload:
        return checkChoice(field, value, workloadNames());
    case Field::Type::Text:
        return checkText(field, value);
    case Field::Type::Arguments:
        if (!value.isObject())
            return wrongType(field.path, value, SpecText::tr("an object"));
        return {};
    case Field::Type::TextList:
    case Field::Type::ArgumentsList:
        return checkList(field, value);
    case Field::Type::TextMap:
        return checkMap(field, value);
    }
    return {};
}

void checkArguments(const QString &task, const QString &path, const QJsonObject &arguments,
                    QList<Error> &faults)
{
    const runtime::WorkloadInfo *workload = workloadOf(task);
    if (!workload)
        return;
    QStringList names;
    for (const runtime::ArgumentInfo &info : workload->arguments) {
        names.append(fromView(info.name));
        const auto found = arguments.constFind(names.last());
        if (found == arguments.constEnd())
            continue;
        if (const auto fault = checkValue(fieldOf(info, path % u'.' % names.last()), *found))
            faults.append(*fault);
    }
    for (const runtime::ArgumentInfo &info : workload->arguments) {
        if (const auto fault = checkOrder(task, path, arguments, info))
            faults.append(*fault);
    }
    for (auto argument = arguments.constBegin(); argument != arguments.constEnd(); ++argument) {
        if (!names.contains(argument.key()))
            faults.append(unknownKey(path % u'.' % printable(argument.key()), names));
    }
}

QJsonValue argumentDefaultOf(const QString &task, const QString &name)
{
    if (const runtime::WorkloadInfo *workload = workloadOf(task)) {
        for (const runtime::ArgumentInfo &info : workload->arguments) {
            if (fromView(info.name) == name)
                return fieldOf(info, name).defaultValue;
        }
    }
    return QJsonValue(QJsonValue::Undefined);
}

QJsonObject filledArguments(const QString &task, QJsonObject arguments)
{
    if (const runtime::WorkloadInfo *workload = workloadOf(task)) {
        for (const runtime::ArgumentInfo &info : workload->arguments) {
            const QString name = fromView(info.name);
            if (!arguments.contains(name))
                arguments.insert(name, fieldOf(info, name).defaultValue);
        }
    }
    return arguments;
}

} // namespace proclab
