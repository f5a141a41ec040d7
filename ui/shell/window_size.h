// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSize>

namespace proclab {

/// How large the window opens on a screen that has @p available for windows, and how small it can
/// be made there. Both fit on it with a frame around them: a scale of 200 % makes a usual screen
/// smaller than the window would like to be.
[[nodiscard]] QSize firstWindowSize(QSize available);
[[nodiscard]] QSize smallestWindowSize(QSize available);

} // namespace proclab
