// SPDX-License-Identifier: GPL-3.0-or-later

// How calls go into a pool and come out of it; pool_core.cpp has its beginning and end.

#include "core/pool/pool_core.h"

#include "core/base/signal_name.h"
#include "core/runtime/task/task_registry.h"

#include <QCoreApplication>

#include <algorithm>
#include <cstring>
#include <limits>

using namespace Qt::StringLiterals;

namespace proclab {

using runtime::ArgumentRange;
using runtime::TaskDescriptor;

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("Error", text);
}

/// The calls' arguments one after the other, behind a table of where each begins.
std::vector<std::byte> joined(const std::vector<std::vector<std::byte>> &arguments)
{
    std::vector<std::byte> bytes;
    PayloadWriter writer(bytes);
    std::size_t end = (arguments.size() + 1) * sizeof(quint64);
    writer.size(end);
    for (const auto &one : arguments)
        writer.size(end += one.size());
    bytes.reserve(end);
    for (const auto &one : arguments)
        bytes.insert(bytes.end(), one.begin(), one.end());
    return bytes;
}

std::shared_ptr<const RemoteFailure> failureOf(const std::vector<std::byte> &bytes,
                                               const QString &worker)
{
    auto failure = std::make_shared<RemoteFailure>();
    try {
        const auto thrown = decodePayload<runtime::RemoteException>(bytes);
        failure->type = QString::fromStdString(thrown.type);
        failure->message = QString::fromStdString(thrown.message);
        failure->trace = tr("in %1, %2").arg(QString::fromStdString(thrown.where), worker);
        for (const std::string &one : thrown.nested) {
            failure->nested.append(QString::fromStdString(one));
            failure->trace += tr("\ncaused by %1").arg(failure->nested.back());
        }
        failure->rawType = thrown.rawType;
        failure->value = QByteArray(reinterpret_cast<const char *>(thrown.value.data()),
                                    static_cast<qsizetype>(thrown.value.size()));
    } catch (const std::exception &exception) {
        failure->message = QString::fromUtf8(exception.what());
    }
    return failure;
}

} // namespace

/// A chunk in the workers' hands, and the memory of its arguments.
class PoolCore::ChunkSink final : public ReportSink
{
public:
    ChunkSink(std::shared_ptr<PoolCore> core, std::shared_ptr<CallSink> sink, std::string_view name)
        : m_core(std::move(core))
        , m_sink(std::move(sink))
        , m_name(name)
    {}
    ~ChunkSink() override
    {
        if (extent)
            m_core->giveBack(*extent);
        if (isHanded)
            m_core->feed();
    }
    void take(TaskReport &&report) override
    {
        const auto position = static_cast<quint32>(report.index - first);
        if (report.status == TaskReport::Status::Done)
            m_sink->take(position, std::move(report.bytes));
        else
            m_sink->take(position, m_core->errorOf(report, m_name));
    }

    quint64 first = 0;
    std::optional<quint64> extent;
    bool isHanded = false;
    std::vector<runtime::ObjectRef> objects;

private:
    const std::shared_ptr<PoolCore> m_core;
    const std::shared_ptr<CallSink> m_sink;
    const std::string_view m_name;
};

Result<void> PoolCore::submit(CallChunk chunk, std::shared_ptr<CallSink> sink)
{
    if (isOfParent())
        return ofParent();
    std::shared_ptr<void> handed; // Let go after the mutex: its end may feed the workers.
    const std::lock_guard lock(m_mutex);
    if (m_state == State::Broken)
        return *m_givenUpBy;
    if (m_state != State::Open)
        return Error{ErrorCode::ShutDown, {}, tr("the pool")};
    if (!canEverHold(chunk))
        return tooLarge();
    sink->m_place = CallSink::Place::Waiting;
    sink->m_count = static_cast<quint32>(chunk.arguments.size());
    Waiting waiting{std::move(chunk), std::move(sink)};
    if (m_waiting.empty())
        handed = hand(waiting);
    if (!handed)
        m_waiting.push_back(std::move(waiting));
    return {};
}

/// Else it would wait for ever, and those behind it too.
bool PoolCore::canEverHold(const CallChunk &chunk) const
{
    const auto &calls = chunk.arguments;
    if (calls.size() == 1 && calls[0].size() <= TaskDescriptor::inlineBytes)
        return true;
    quint64 bytes = (calls.size() + 1) * sizeof(quint64);
    for (const auto &one : calls)
        bytes += one.size();
    return bytes <= maxArgumentBytes();
}

quint64 PoolCore::maxArgumentBytes() const
{
    constexpr quint64 describable = std::numeric_limits<decltype(ArgumentRange::size)>::max();
    return std::min(describable, m_options.argumentBytes - firstExtent);
}

Error PoolCore::tooLarge()
{
    return {ErrorCode::EncodeError, {}, tr("arguments larger than the pool's memory")};
}

std::shared_ptr<void> PoolCore::hand(Waiting &waiting)
{
    CallChunk &calls = waiting.chunk;
    const auto count = static_cast<quint32>(calls.arguments.size());
    const bool isInline = count == 1 && calls.arguments[0].size() <= TaskDescriptor::inlineBytes;
    std::vector<std::byte> table;
    if (count > 1)
        table = joined(calls.arguments);
    const std::vector<std::byte> &bytes = count > 1 ? table : calls.arguments[0];
    const auto sink = std::make_shared<ChunkSink>(shared_from_this(), waiting.sink, calls.name);
    TaskChunk chunk;
    chunk.workload = calls.task;
    chunk.count = count;
    chunk.first = sink->first = m_nextCall;
    if (isInline) {
        chunk.inlineArgs = bytes;
    } else {
        {
            const std::lock_guard lock(m_extentsMutex);
            sink->extent = m_extents.allocate(bytes.size());
        }
        if (!sink->extent)
            return nullptr;
        std::memcpy(m_arguments.data() + *sink->extent, bytes.data(), bytes.size());
        chunk.args = {*sink->extent, static_cast<quint32>(bytes.size()),
                      count > 1 ? ArgumentRange::eachOwn : 0};
    }
    const auto ticket = m_workers->submit(chunk, sink);
    if (!ticket)
        return nullptr;
    waiting.sink->m_place = CallSink::Place::Handed;
    waiting.sink->m_ticket = *ticket;
    sink->isHanded = true;
    sink->objects = std::move(calls.objects);
    m_nextCall += count;
    return sink;
}

void PoolCore::feed()
{
    std::vector<std::shared_ptr<void>> handed; // See submit().
    const std::lock_guard lock(m_mutex);
    while (!m_waiting.empty() && m_state <= State::Closed) {
        Waiting &next = m_waiting.front();
        if (next.sink->m_place == CallSink::Place::Waiting) {
            auto one = hand(next);
            if (!one)
                return;
            handed.push_back(std::move(one));
        }
        m_waiting.pop_front();
    }
    if (m_state == State::Closed)
        closeWorkersLocked();
}

bool PoolCore::withdraw(CallSink &sink)
{
    if (isOfParent())
        return false;
    std::optional<WithdrawnChunk> withdrawn; // Let go after the mutex, see submit().
    {
        const std::lock_guard lock(m_mutex);
        if (sink.m_place == CallSink::Place::Withdrawn)
            return true;
        if (sink.m_place == CallSink::Place::Handed && m_workers)
            withdrawn = m_workers->withdraw(sink.m_ticket);
        if (sink.m_place != CallSink::Place::Waiting && !withdrawn)
            return false;
        sink.m_place = CallSink::Place::Withdrawn; // feed() leaves it out.
    }
    for (quint32 i = 0; i < sink.m_count; ++i)
        sink.take(i, Error{ErrorCode::Cancelled});
    return true;
}

bool PoolCore::hasStarted(const CallSink &sink) const
{
    if (isOfParent())
        return false;
    const std::lock_guard lock(m_mutex);
    return sink.m_place == CallSink::Place::Handed &&
           (!m_workers || m_workers->hasStarted(sink.m_ticket));
}

void PoolCore::giveBack(quint64 extent)
{
    const std::lock_guard lock(m_extentsMutex);
    const quint64 length = m_extents.giveBack(extent);
    if (length >= runtime::discardedBytes)
        m_arguments.discard(extent, length);
}

std::size_t PoolCore::chunkSize(std::size_t count, std::size_t wanted) const
{
    const std::size_t shares = 4 * static_cast<std::size_t>(m_workerCount);
    const std::size_t size = wanted != 0 ? wanted : (count + shares - 1) / shares;
    return std::clamp<std::size_t>(size, 1, maxCallsPerChunk);
}

void PoolCore::help(const FutureState &state) const
{
    if (isOfParent())
        return;
    if (m_workers)
        m_workers->collectUntil([&state] { return state.isSettled(); });
}

Error PoolCore::errorOf(const TaskReport &report, std::string_view task) const
{
    using Cause = TaskReport::Cause;
    const std::unique_lock lock(m_mutex);
    const auto known = m_pids.find(report.worker);
    const QString worker = known == m_pids.end()
                               ? tr("no worker")
                               : tr("worker %1, PID %2").arg(report.worker + 1).arg(known->second);
    const QString name = QString::fromUtf8(task.data(), static_cast<qsizetype>(task.size()));
    const QString where = tr("%1 in %2, attempt %3").arg(worker, name).arg(report.attempts);
    switch (report.cause) {
    case Cause::Exception: {
        auto failure = failureOf(report.bytes, worker);
        const bool isEncoding = failure->rawType == typeid(EncodeFailure).name();
        Error error{isEncoding ? ErrorCode::EncodeError : ErrorCode::RemoteError, name,
                    failure->type % u": "_s % failure->message};
        error.remote = std::move(failure);
        return error;
    }
    case Cause::Exit:
        return {deathCode(), where, tr("exit code %1").arg(report.code)};
    case Cause::Signal:
        return {deathCode(), where, tr("signal %1").arg(signalName(report.code))};
    case Cause::Timeout:
        return {ErrorCode::Timeout, where};
    case Cause::Lost:
        if (m_state == State::Broken && report.worker < 0)
            return *m_givenUpBy;
        return {deathCode(), where, tr("%1 from outside").arg(signalName(report.code))};
    case Cause::Cancelled:
    case Cause::None:
        break;
    }
    return m_givenUpBy.value_or(Error{ErrorCode::Cancelled});
}

/// With what a call fails whose worker died.
ErrorCode PoolCore::deathCode() const
{
    const bool breaks = m_options.onCrash.value_or(m_conduct.onCrash) == OnCrash::Break;
    return breaks ? ErrorCode::BrokenPool : ErrorCode::WorkerDied;
}

} // namespace proclab
