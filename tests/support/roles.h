// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/spec/kind.h"

namespace proclab::test {

/// Rows of the kinds' roles.
inline const ProcessRole *worker()
{
    return &findKind(QStringLiteral("pool"))->roles[PoolRoles::Worker];
}
inline const ProcessRole *producer()
{
    return &findKind(QStringLiteral("pipeline"))->roles[PipelineRoles::Producer];
}
inline const ProcessRole *consumer()
{
    return &findKind(QStringLiteral("pipeline"))->roles[PipelineRoles::Consumer];
}
inline const ProcessRole *process()
{
    return &findKind(QStringLiteral("counter"))->roles[CounterRoles::Process];
}

} // namespace proclab::test
