// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is at least @p number.
[[nodiscard]] double niceCeiling(double number);

/// A tick of a time axis from 0 to @p range seconds: "0.5", in the unit that suits the range.
[[nodiscard]] QString timeTickText(double seconds, double range);
/// The unit of those ticks: "s", "ms", "µs", "min".
[[nodiscard]] QString timeTickUnit(double range);

} // namespace proclab
