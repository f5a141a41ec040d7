// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/field.h"

#include <QJsonValue>
#include <QList>
#include <QString>

namespace proclab {

/// The arguments of @p workload as fields of a form, below the field @p parent ("tasks.args"); none
/// for a workload that is not known.
[[nodiscard]] QList<Field> argumentFields(const QString &workload, const Field &parent);
/// What @p argument is if it is not given; Undefined for one that is not known.
[[nodiscard]] QJsonValue argumentDefault(const QString &workload, const QString &argument);

} // namespace proclab
