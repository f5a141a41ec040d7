// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace proclab {

/// Where the fill of a band begins that lies on @p below and reaches @p top, all as values of which
/// one pixel is @p pixel: on @p below, or a pixel below the top where the band would else be too
/// thin to be seen.
[[nodiscard]] double bandBottom(double below, double top, double pixel);

} // namespace proclab
