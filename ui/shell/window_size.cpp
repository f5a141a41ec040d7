// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/window_size.h"

namespace proclab {

namespace {

constexpr QSize usualFirst{1440, 900};
constexpr QSize usualSmallest{1024, 700};
/// Borders and title bar; what they really take is known once the window is shown.
constexpr QSize windowFrame{8, 40};

} // namespace

QSize firstWindowSize(QSize available)
{
    return usualFirst.boundedTo(available - windowFrame).expandedTo({1, 1});
}

QSize smallestWindowSize(QSize available)
{
    return usualSmallest.boundedTo(firstWindowSize(available));
}

} // namespace proclab
