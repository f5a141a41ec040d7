// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"

#include "core/pool/call_sinks.h"
#include "core/pool/pool_core.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr PoolPolicy executorPolicy = {OnCrash::Break, true, true};

Result<StreamConfig> streamConfig(const MapOptions &options)
{
    const QString allowed = ErrorText::tr("1 or more");
    if (options.chunkSize < 1)
        return invalidArgument(u"chunkSize"_s, QString::number(options.chunkSize), allowed);
    if (const int ahead = options.lookAhead.value_or(1); ahead < 1)
        return invalidArgument(u"lookAhead"_s, QString::number(ahead), allowed);
    StreamConfig config;
    config.chunkSize = static_cast<std::size_t>(options.chunkSize);
    config.limit = options.timeout;
    if (options.lookAhead) {
        config.ahead = static_cast<std::size_t>(*options.lookAhead);
        config.chunkSize = std::min(config.chunkSize, config.ahead);
    }
    return config;
}

Error forcedStop()
{
    return {ErrorCode::ShutDown, {}, ErrorText::tr("the workers were ended")};
}

} // namespace

struct Executor::Handle
{
    explicit Handle(std::shared_ptr<PoolCore> held) : core(std::move(held)) {}
    Handle(const Handle &) = delete;
    ~Handle()
    {
        core->close();
        core->stayUntilEnded();
    }
    const std::shared_ptr<PoolCore> core;
};

Executor::Executor(std::shared_ptr<PoolCore> core)
    : m_handle(std::make_shared<Handle>(std::move(core)))
{}

Result<Executor> Executor::open(const ExecutorOptions &options)
{
    return open(options, InitializerCall());
}

Result<Executor> Executor::open(const ExecutorOptions &options, const InitializerCall &initializer)
{
    auto core = PoolCore::open(options, executorPolicy, initializer);
    if (!core)
        return core.error();
    return Executor(std::move(*core));
}

Result<std::shared_ptr<ResultSource>> Executor::openStream(StreamInputs inputs,
                                                           const MapOptions &options)
{
    const Result<StreamConfig> config = streamConfig(options);
    if (!config)
        return config.error();
    auto stream = std::make_shared<StreamSink>(core(), std::move(inputs), *config);
    stream->feed();
    return std::shared_ptr<ResultSource>(std::move(stream));
}

Result<void> Executor::resize(int workers)
{
    return core()->resize(workers);
}

void Executor::shutdown(Wait wait, Pending pending)
{
    core()->close(pending);
    if (wait == Wait::Yes)
        static_cast<void>(join());
}

void Executor::terminateWorkers()
{
    core()->terminate(forcedStop(), true);
}

void Executor::killWorkers()
{
    core()->terminate(forcedStop());
}

Result<void> Executor::join(TimeLimit limit)
{
    return core()->join(limit);
}

int Executor::workerCount() const
{
    return core()->workerCount();
}

std::vector<qint64> Executor::workerPids() const
{
    return core()->workerPids();
}

const std::shared_ptr<PoolCore> &Executor::core() const
{
    return m_handle->core;
}

} // namespace proclab
