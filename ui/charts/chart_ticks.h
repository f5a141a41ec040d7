// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is at least @p number.
[[nodiscard]] double niceCeiling(double number);

/// The distance of the ticks of a value axis from 0 to @p top: at most five ticks. @p whole: of
/// things that are counted, such as items.
[[nodiscard]] double valueStep(double top, bool whole = false);
/// A tick of a value axis that ends at @p top: all of them in one unit, "0", "5k", "10k".
[[nodiscard]] QString valueTickText(double value, double top);

/// A tick of a time axis from 0 to @p range seconds: "0.5", in the unit that suits the range.
[[nodiscard]] QString timeTickText(double seconds, double range);
/// The unit of those ticks: "s", "ms", "µs", "min".
[[nodiscard]] QString timeTickUnit(double range);

} // namespace proclab
