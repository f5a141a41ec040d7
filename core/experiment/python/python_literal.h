// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QJsonValue>
#include <QString>

namespace proclab {

/// @p value as Python source, which reads as the same value: True, None, 200000, "apple", [1, 2].
/// An object becomes a dict. Texts stay readable; whatever could end the literal, hide or reorder
/// something in an editor is escaped. A long list has a line for each entry.
[[nodiscard]] QString pythonLiteral(const QJsonValue &value);

} // namespace proclab
