// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QMap>
#include <QString>

#include <string>

namespace proclab {

/// Variables by name, which a child has in addition to this process's or in their place.
using Environment = QMap<QString, QString>;

/// The form that workers read: "NAME=value" and a 0 for each variable. InvalidArgument for a name
/// that is empty or contains "=", and for a 0 in a name or value.
[[nodiscard]] Result<std::string> encodeEnvironment(const Environment &environment);

} // namespace proclab
