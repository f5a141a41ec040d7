// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_source.h"

namespace proclab {

bool RunSource::isActive() const
{
    const State now = state();
    return now == State::Starting || now == State::Running || now == State::Stopping;
}

} // namespace proclab
