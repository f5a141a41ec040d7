// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/experiment/spec/field.h"

#include <QCoreApplication>
#include <QJsonObject>
#include <QList>

#include <optional>

namespace proclab {

/// SpecText::tr(): the words about specs, translated.
class SpecText
{
    Q_DECLARE_TR_FUNCTIONS(Spec)
};

/// @p text on one line for a message: control characters escaped, cut after 60 characters.
[[nodiscard]] QString printable(const QString &text);
/// A value for a message: texts in quotation marks, "a list", "an object".
[[nodiscard]] QString foundText(const QJsonValue &value);
/// Whole numbers without exponent: 10000000.
[[nodiscard]] QString numberText(double number);

/// An InvalidArgument: @p value at @p path is of the wrong type, @p allowed ("an integer from 1 to
/// 256") the right one.
[[nodiscard]] Error wrongType(const QString &path, const QJsonValue &value, const QString &allowed);
/// An InvalidArgument: there is no @p path. Its last key may be one of @p allowed; it is known at
/// the path @p elsewhere, if that is not empty.
[[nodiscard]] Error unknownKey(const QString &path, const QStringList &allowed,
                               const QString &elsewhere = {});

/// What is wrong with @p value at @p field, alone: its type, its range, its choice. Arguments and
/// lists of them are seen to be objects; checkArguments() looks inside.
[[nodiscard]] std::optional<Error> checkValue(const Field &field, const QJsonValue &value);
/// Appends what is wrong with @p arguments, which stand at @p path, for the workload @p task. An
/// unknown workload has no faults here.
void checkArguments(const QString &task, const QString &path, const QJsonObject &arguments,
                    QList<Error> &faults);

/// The default of argument @p name of the workload @p task; Undefined if there is none.
[[nodiscard]] QJsonValue argumentDefaultOf(const QString &task, const QString &name);
/// @p arguments with the defaults of the workload @p task filled in.
[[nodiscard]] QJsonObject filledArguments(const QString &task, QJsonObject arguments);

} // namespace proclab
