// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

#include <QList>

namespace proclab {

struct PoolState final : KindState
{
    QList<quint32> nextTasks; ///< Tasks that wait, the next first, at most 64.
};

} // namespace proclab
