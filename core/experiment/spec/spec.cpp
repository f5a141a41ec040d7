// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/spec.h"

#include "core/base/nearest_name.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"

#include <QJsonArray>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int fileVersion = 1;
constexpr qsizetype maxFaults = 1'000;

QJsonValue undefined()
{
    return QJsonValue(QJsonValue::Undefined);
}

const Field *findField(const Schema &schema, const QString &path)
{
    const auto found = std::find_if(schema.begin(), schema.end(),
                                    [&](const Field &field) { return field.path == path; });
    return found == schema.end() ? nullptr : &*found;
}

QString blockOf(const QString &path)
{
    return path.left(std::max(qsizetype(0), path.lastIndexOf(u'.')));
}

/// @p node with @p value at the end of @p keys; removing leaves no empty objects behind.
QJsonValue withValue(const QJsonValue &node, QStringList keys, const QJsonValue &value)
{
    if (keys.isEmpty())
        return value;
    const QString key = keys.takeFirst();
    bool isNumber = false;
    const qsizetype position = key.toInt(&isNumber);
    if (node.isArray() && isNumber && position >= 0 && position < node.toArray().size()) {
        QJsonArray list = node.toArray();
        const QJsonValue entry = withValue(list.at(position), keys, value);
        if (entry.isUndefined())
            list.removeAt(position);
        else
            list.replace(position, entry);
        return list;
    }
    QJsonObject object = node.toObject();
    const QJsonValue child = withValue(object.value(key), keys, value);
    if (child.isUndefined())
        object.remove(key);
    else
        object.insert(key, child);
    return value.isUndefined() && object.isEmpty() ? undefined() : QJsonValue(object);
}

/// Whether a value of this JSON type can be meant at @p field, be it in range or not.
bool hasRightType(const Field &field, const QJsonValue &value)
{
    switch (field.type) {
    case Field::Type::Integer:
    case Field::Type::Number:
        return value.isDouble();
    case Field::Type::IntegerOrAuto:
        return value.isDouble() || value.isString();
    case Field::Type::Flag:
        return value.isBool();
    case Field::Type::Choice:
    case Field::Type::Text:
    case Field::Type::Workload:
        return value.isString();
    case Field::Type::Arguments:
    case Field::Type::TextMap:
        return value.isObject();
    case Field::Type::TextList:
    case Field::Type::ArgumentsList:
        return value.isArray();
    }
    return false;
}

/// Where in the schema the field stands that @p subject names or lies in; behind all if there is
/// none.
qsizetype positionIn(const Schema &schema, const QString &subject)
{
    for (QString path = subject; !path.isEmpty(); path = blockOf(path)) {
        for (qsizetype i = 0; i < schema.size(); ++i) {
            if (schema[i].path == path || schema[i].path.startsWith(QString(path % u'.')))
                return i;
        }
    }
    return schema.size();
}

std::optional<Error> kindFault(const QString &kind)
{
    const Kind *found = findKind(kind);
    if (found && found->isAvailable())
        return {};
    const QString text =
        found ? SpecText::tr("%1 is not available yet") : SpecText::tr("%1 is unknown");
    const QStringList available = availableKindNames();
    const Error error = invalidArgument(u"kind"_s, text.arg(foundText(kind)),
                                        SpecText::tr("allowed: %1").arg(available.join(u", "_s)));
    return found ? error : withSuggestion(error, kind, available);
}

} // namespace

ExperimentSpec::ExperimentSpec() : m_kind(usualKind().name) {}

ExperimentSpec::ExperimentSpec(const QString &kind) : m_kind(kind) {}

const Kind *ExperimentSpec::kindInfo() const
{
    return findKind(m_kind);
}

QJsonValue ExperimentSpec::stored(const QString &path) const
{
    if (path == u"kind"_s)
        return m_kind;
    QJsonValue node = m_values;
    for (const QString &key : path.split(u'.')) {
        bool isNumber = false;
        const qsizetype position = node.isArray() ? key.toInt(&isNumber) : 0;
        node = isNumber ? node.toArray().at(position) : node.toObject().value(key);
    }
    return node;
}

QJsonValue ExperimentSpec::value(const QString &path) const
{
    if (const QJsonValue found = stored(path); !found.isUndefined())
        return found;
    if (path == u"version"_s)
        return fileVersion;
    const Kind *kind = kindInfo();
    if (!kind)
        return undefined();
    if (const Field *field = findField(kind->schema, path)) {
        if (field->derivedDefault)
            return field->derivedDefault(*this);
        return field->defaultValue.isNull() ? undefined() : field->defaultValue;
    }
    const QString block = blockOf(path);
    const Field *arguments = findField(kind->schema, block);
    if (!arguments || arguments->type != Field::Type::Arguments)
        return undefined();
    return argumentDefaultOf(text(blockOf(block) % u".task"_s), path.mid(block.size() + 1));
}

bool ExperimentSpec::isSet(const QString &path) const
{
    return !stored(path).isUndefined();
}

void ExperimentSpec::set(const QString &path, const QJsonValue &value)
{
    if (path == u"kind"_s) {
        m_kind = value.isString() ? value.toString() : foundText(value);
        return;
    }
    const bool isDefault = path == u"version"_s && value == QJsonValue(fileVersion);
    m_values = withValue(m_values, path.split(u'.'), isDefault ? undefined() : value).toObject();
}

void ExperimentSpec::tellChangesSince(const ExperimentSpec &original)
{
    const QString title = u"title"_s;
    if (!isSet(title) || value(title) != original.value(title))
        return;
    ExperimentSpec before = original;
    ExperimentSpec now = *this;
    for (const QString &path : {u"seed"_s, u"time_limit_s"_s}) {
        before.set(path, undefined());
        now.set(path, undefined());
    }
    if (now != before)
        set(title, SpecText::tr("%1, changed").arg(text(title)));
}

QList<Error> ExperimentSpec::check() const
{
    QList<Error> faults;
    if (const QJsonValue version = value(u"version"_s); version != QJsonValue(fileVersion))
        faults.append(invalidArgument(u"version"_s,
                                      SpecText::tr("%1 is unknown").arg(foundText(version)),
                                      SpecText::tr("allowed: %1").arg(fileVersion)));
    if (const auto fault = kindFault(m_kind)) {
        faults.append(*fault);
        return faults;
    }
    checkFields(faults);
    checkKeys(m_values, {}, faults);
    const Kind &kind = *kindInfo();
    checkTime(*this, u"time_limit_s"_s, faults);
    if (kind.check)
        kind.check(*this, faults);
    std::stable_sort(faults.begin(), faults.end(), [&](const Error &a, const Error &b) {
        return positionIn(kind.schema, a.subject) < positionIn(kind.schema, b.subject);
    });
    return faults;
}

void ExperimentSpec::checkFields(QList<Error> &faults) const
{
    for (const Field &field : kindInfo()->schema) {
        const QJsonValue value = stored(field.path);
        if (value.isUndefined())
            continue;
        if (const auto fault = checkValue(field, value)) {
            faults.append(*fault);
            continue;
        }
        const QString task = text(blockOf(field.path) % u".task"_s);
        if (field.type == Field::Type::Arguments)
            checkArguments(task, field.path, value.toObject(), faults);
        if (field.type != Field::Type::ArgumentsList)
            continue;
        const QJsonArray list = value.toArray();
        for (qsizetype i = 0; i < list.size() && faults.size() < maxFaults; ++i)
            checkArguments(task, field.path % u'.' % QString::number(i), list.at(i).toObject(),
                           faults);
    }
}

/// The first field or argument whose path ends in @p end; empty: none does.
QString ExperimentSpec::pathEndingIn(const QString &end) const
{
    for (const Field &field : kindInfo()->schema) {
        if (QString(u'.' % field.path).endsWith(end))
            return field.path;
        const QString task = text(blockOf(field.path) % u".task"_s);
        if (field.type == Field::Type::Arguments &&
            !argumentDefaultOf(task, end.sliced(1)).isUndefined())
            return field.path % end;
    }
    return {};
}

/// Keys that no field has, and blocks that are none.
void ExperimentSpec::checkKeys(const QJsonObject &object, const QString &prefix,
                               QList<Error> &faults) const
{
    QStringList allowed = prefix.isEmpty() ? QStringList{u"version"_s, u"kind"_s} : QStringList();
    for (const Field &field : kindInfo()->schema) {
        if (!field.path.startsWith(prefix))
            continue;
        const QString key = field.path.mid(prefix.size()).section(u'.', 0, 0);
        if (!allowed.contains(key))
            allowed.append(key);
    }
    for (auto entry = object.begin(); entry != object.end() && faults.size() < maxFaults; ++entry) {
        const QString path = prefix % entry.key();
        if (!allowed.contains(entry.key())) {
            faults.append(unknownKey(prefix % printable(entry.key()), allowed,
                                     pathEndingIn(u'.' % entry.key())));
            continue;
        }
        if (path == u"version"_s || findField(kindInfo()->schema, path))
            continue;
        if (entry->isObject())
            checkKeys(entry->toObject(), path % u'.', faults);
        else
            faults.append(wrongType(path, *entry, SpecText::tr("an object")));
    }
}

/// What a file may not have, whatever the ranges: it is refused as a whole.
QList<Error> ExperimentSpec::structureFaults() const
{
    QList<Error> faults;
    if (isSet(u"version"_s))
        faults.append(invalidArgument(u"version"_s, {}, {}));
    const Kind *kind = kindInfo();
    if (!kind)
        faults.append(invalidArgument(u"kind"_s, {}, {}));
    if (!kind || !kind->isAvailable())
        return faults;
    checkKeys(m_values, {}, faults);
    for (const Field &field : kind->schema) {
        const QJsonValue value = stored(field.path);
        if (!value.isUndefined() && !hasRightType(field, value))
            faults.append(invalidArgument(field.path, {}, {}));
    }
    return faults;
}

QJsonObject ExperimentSpec::toJson(Fill fill) const
{
    ExperimentSpec filled = *this;
    const Schema schema = kindInfo() ? kindInfo()->schema : Schema();
    for (const Field &field : schema) {
        const bool isRequired = field.path == u"tasks.task"_s ||
                                (field.path == u"tasks.count"_s && !isSet(u"tasks.args_list"_s));
        if (fill == Fill::SetOnly && !isRequired)
            continue;
        if (field.type == Field::Type::Arguments) {
            const QString block = blockOf(field.path);
            const QString task = text(block % u".task"_s);
            if (!task.isEmpty() && !isSet(block % u".args_list"_s))
                filled.set(field.path, filledArguments(task, value(field.path).toObject()));
        } else if (const QJsonValue standing = value(field.path); !standing.isUndefined()) {
            filled.set(field.path, standing);
        }
    }
    QJsonObject json = filled.m_values;
    json.insert(u"version"_s, value(u"version"_s));
    json.insert(u"kind"_s, m_kind);
    return json;
}

} // namespace proclab
