// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/stacked_bands.h"

namespace proclab {

namespace {

constexpr double leastForSeam = 8; // Pixels.

} // namespace

double bandBottom(double below, double top, double pixel)
{
    const double height = top - below;
    if (height <= 0)
        return below;
    if (height >= leastForSeam * pixel)
        return below + pixel;
    // The top stays where it is: the band below gives the room.
    return height < pixel ? top - pixel : below;
}

} // namespace proclab
