// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/stacked_bands.h"

#include <algorithm>

namespace proclab {

double bandBottom(double below, double top, double pixel)
{
    // The top stays where it is: the band below gives the room.
    return top > below ? std::min(below, top - pixel) : below;
}

} // namespace proclab
