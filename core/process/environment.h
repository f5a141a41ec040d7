// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QMap>
#include <QString>

#include <string>

namespace proclab {

/// Variables by name, which a child has in place of this process's, or beside them.
using Environment = QMap<QString, QString>;

/// As workers take it: "NAME=value" for each, with a 0 behind it. InvalidArgument: a name that is
/// empty or has a "=", or a 0 in one of them.
[[nodiscard]] Result<std::string> encodeEnvironment(const Environment &environment);

} // namespace proclab
