// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// A number with 2 to 3 significant digits and its unit after a no-break space: "1.57 s", "18 ms",
/// "2.1 µs".
[[nodiscard]] QString durationText(double seconds);
/// "1.2 M", "340 k", "12.4": for cards and chart heads.
[[nodiscard]] QString shortNumber(double number);
/// 0.38 as "38 %", with a no-break space.
[[nodiscard]] QString shareText(double share);
/// "31 MiB"
[[nodiscard]] QString bytesText(quint64 bytes);

} // namespace proclab
