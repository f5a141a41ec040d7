// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/pool.h"

#include "core/pool/call_sinks.h"
#include "core/pool/pool_core.h"

#include <algorithm>

namespace proclab {

Pool::Pool(std::shared_ptr<PoolCore> core) : m_core(std::move(core)) {}

Pool::Pool(Pool &&other) noexcept = default;

Pool &Pool::operator=(Pool &&other) noexcept
{
    std::swap(m_core, other.m_core);
    return *this;
}

Pool::~Pool()
{
    if (m_core)
        m_core->end();
}

Result<Pool> Pool::open(const PoolOptions &options)
{
    return open(options, InitializerCall());
}

Result<Pool> Pool::open(const PoolOptions &options, const InitializerCall &initializer)
{
    auto core = PoolCore::open(options, {}, initializer);
    if (!core)
        return core.error();
    return Pool(std::move(*core));
}

std::shared_ptr<ResultSource> Pool::openStream(StreamInputs inputs, std::size_t chunkSize,
                                               StreamOrder order) const
{
    const std::size_t size = std::clamp<std::size_t>(chunkSize, 1, PoolCore::maxCallsPerChunk);
    return std::make_shared<StreamSink>(
        m_core, std::move(inputs),
        StreamConfig{.chunkSize = size, .order = order, .ahead = m_core->lookAhead() * size});
}

Result<void> Pool::resize(int workers)
{
    return m_core->resize(workers);
}

void Pool::close()
{
    m_core->close();
}

void Pool::terminate()
{
    m_core->terminate();
}

Result<void> Pool::join(TimeLimit limit)
{
    return m_core->join(limit);
}

int Pool::workerCount() const
{
    return m_core->workerCount();
}

std::vector<qint64> Pool::workerPids() const
{
    return m_core->workerPids();
}

PoolMemory Pool::memoryInUse() const
{
    return m_core->memoryInUse();
}

} // namespace proclab
