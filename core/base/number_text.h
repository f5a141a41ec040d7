// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// "12 345" for people, the same in every language: groups by narrow no-break spaces, a true
/// minus.
[[nodiscard]] QString groupedNumber(qint64 number);
/// @p text with the numbers in it as other programs read them: without groups, with a plain minus.
[[nodiscard]] QString withPlainNumbers(QString text);

} // namespace proclab
