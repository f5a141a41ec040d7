// SPDX-License-Identifier: GPL-3.0-or-later

// How calls go into a pool and come out of it; pool_core.cpp has its beginning and end.

#include "core/pool/pool_core.h"

#include "core/base/signal_name.h"
#include "core/pool/worker_pool.h"
#include "core/process/engine.h"
#include "core/runtime/task/task_registry.h"

#include <algorithm>
#include <cstring>
#include <limits>

using namespace Qt::StringLiterals;

namespace proclab {

using runtime::ArgumentRange;
using runtime::TaskDescriptor;

namespace {

/// So much of the arguments' memory, from the beginning, where extents are taken first, is never
/// given back to the system: the first touch of a page costs more than copying it.
constexpr quint64 keptBytes = quint64{64} << 20;

std::shared_ptr<const RemoteFailure> failureOf(std::span<const std::byte> bytes,
                                               const QString &worker)
{
    auto failure = std::make_shared<RemoteFailure>();
    try {
        const auto thrown = decodePayload<runtime::RemoteException>(bytes);
        failure->type = QString::fromStdString(thrown.type);
        failure->message = QString::fromStdString(thrown.message);
        failure->trace =
            ErrorText::tr("in %1, %2").arg(QString::fromStdString(thrown.where), worker);
        for (const std::string &one : thrown.nested) {
            failure->nested.append(QString::fromStdString(one));
            failure->trace += ErrorText::tr("\ncaused by %1").arg(failure->nested.back());
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

std::span<const std::byte> CallChunk::bytes() const
{
    if (!calls)
        return single;
    const std::size_t begin = calls->begin(first);
    return std::span(calls->bytes).subspan(begin, calls->begin(first + count) - begin);
}

void CallSink::report(TaskReport &&report)
{
    const auto position = static_cast<quint32>(report.index - m_firstNumber);
    if (report.status == TaskReport::Status::Done)
        end(position, std::move(report.bytes));
    else
        end(position,
            m_core->errorOf(
                report,
                runtime::registeredTasks()[m_chunk.task.number - runtime::firstRegisteredTask]
                    .name));
}

void CallSink::releaseArguments()
{
    if (m_extent)
        m_core->giveBack(*m_extent);
}

Result<void> PoolCore::submit(std::shared_ptr<CallSink> sink)
{
    if (isOfParent())
        return ofParent();
    const std::lock_guard lock(m_mutex);
    if (m_state == State::Broken)
        return *m_givenUpBy;
    if (m_state != State::Open)
        return Error{ErrorCode::ShutDown, {}, ErrorText::tr("the pool")};
    if (!canEverHold(sink->m_chunk))
        return tooLarge();
    sink->m_place = CallSink::Place::Waiting;
    if (!m_waiting.empty() || !handLocked(sink))
        m_waiting.push_back(std::move(sink));
    else
        m_workers->wake();
    return {};
}

/// A chunk that can never be placed would wait forever, and block those behind it.
bool PoolCore::canEverHold(const CallChunk &chunk) const
{
    const quint64 size = chunk.bytes().size();
    return (chunk.count == 1 && size <= TaskDescriptor::inlineBytes) ||
           chunk.tableBytes() + size <= maxArgumentBytes();
}

quint64 PoolCore::maxArgumentBytes() const
{
    constexpr quint64 describable = std::numeric_limits<decltype(ArgumentRange::size)>::max();
    return std::min(describable, m_options.argumentBytes - firstExtent);
}

Error PoolCore::tooLarge()
{
    return {ErrorCode::EncodeError, {}, ErrorText::tr("arguments larger than the pool's memory")};
}

bool PoolCore::handLocked(const std::shared_ptr<CallSink> &sink)
{
    CallChunk &calls = sink->m_chunk;
    TaskChunk task;
    task.workload = calls.task.number;
    task.count = calls.count;
    task.first = m_nextCall;
    task.packedBytes = calls.task.packedBytes;
    const std::span<const std::byte> bytes = calls.bytes();
    if (bytes.empty() || (calls.count == 1 && bytes.size() <= TaskDescriptor::inlineBytes)) {
        task.inlineArgs = bytes;
    } else {
        sink->m_extent = placeArguments(calls, task);
        if (!sink->m_extent)
            return false;
    }
    // From submit() on its results may come.
    sink->m_core = this;
    sink->m_firstNumber = m_nextCall;
    const auto ticket = m_workers->submitQuietly(task, sink);
    if (!ticket) {
        if (sink->m_extent)
            giveBack(*std::exchange(sink->m_extent, std::nullopt));
        return false;
    }
    sink->m_place = CallSink::Place::Handed;
    sink->m_ticket = *ticket;
    m_nextCall += calls.count;
    calls.calls.reset();
    if (calls.single.size() > EncodedBytes::inlineBytes)
        calls.single = {};
    return true;
}

/// Writes the calls' arguments where workers read them, and tells @p task where; no value if there
/// is no room now.
std::optional<quint64> PoolCore::placeArguments(const CallChunk &chunk, TaskChunk &task)
{
    const std::span<const std::byte> bytes = chunk.bytes();
    const quint64 table = chunk.tableBytes();
    const quint64 size = table + bytes.size();
    std::optional<quint64> extent;
    {
        const std::lock_guard lock(m_extentsMutex);
        extent = m_extents.allocate(size);
    }
    if (!extent)
        return std::nullopt;
    std::byte *place = m_arguments.data() + *extent;
    if (table != 0) {
        PayloadWriter writer(place);
        const std::size_t begin = chunk.calls->begin(chunk.first);
        for (std::size_t i = 0; i <= chunk.count; ++i)
            writer.size(table + chunk.calls->begin(chunk.first + i) - begin);
    }
    std::memcpy(place + table, bytes.data(), bytes.size());
    if (table != 0 || chunk.count == 1) {
        task.args = {*extent, static_cast<quint32>(size), table != 0 ? ArgumentRange::eachOwn : 0};
    } else {
        const auto each = static_cast<quint32>(chunk.calls->each);
        task.args = {*extent, each, each};
        task.hasOwnArguments = true;
    }
    return extent;
}

void PoolCore::feed()
{
    const std::lock_guard lock(m_mutex);
    bool hasHanded = false;
    while (!m_waiting.empty() && m_state <= State::Closed) {
        const std::shared_ptr<CallSink> &next = m_waiting.front();
        if (next->m_place == CallSink::Place::Waiting) {
            if (!handLocked(next))
                break;
            hasHanded = true;
        }
        m_waiting.pop_front();
    }
    if (hasHanded)
        m_workers->wake();
    if (m_state == State::Closed)
        closeWorkersLocked();
}

bool PoolCore::withdraw(CallSink &sink)
{
    if (isOfParent())
        return false;
    std::optional<WithdrawnChunk> withdrawn;
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
    sink.endAll(Error{ErrorCode::Cancelled});
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
    const quint64 end = extent + m_extents.giveBack(extent);
    const quint64 begin = std::max(extent, keptBytes);
    if (end >= begin + runtime::discardedBytes)
        m_arguments.discard(begin, end - begin);
}

std::size_t PoolCore::chunkSize(std::size_t count, std::size_t wanted) const
{
    const std::size_t shares = 4 * static_cast<std::size_t>(m_workerCount.load());
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
    const QString worker =
        known == m_pids.end()
            ? ErrorText::tr("no worker")
            : ErrorText::tr("worker %1, PID %2").arg(report.worker + 1).arg(known->second);
    const QString name = QString::fromUtf8(task.data(), static_cast<qsizetype>(task.size()));
    const QString where =
        ErrorText::tr("%1 in %2, attempt %3").arg(worker, name).arg(report.attempts);
    const QString lastWords = QString::fromStdString(report.message); // Of a worker that died.
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
        return {deathCode(), where, ErrorText::tr("exit code %1").arg(report.code), lastWords};
    case Cause::Signal:
        return {deathCode(), where, ErrorText::tr("signal %1").arg(signalName(report.code)),
                lastWords};
    case Cause::Timeout:
        return {ErrorCode::Timeout, where, {}, lastWords};
    case Cause::Lost:
        if (m_state == State::Broken && report.worker < 0)
            return *m_givenUpBy;
        return {deathCode(), where, ErrorText::tr("%1 from outside").arg(signalName(report.code)),
                lastWords};
    case Cause::Cancelled:
    case Cause::None:
        break;
    }
    return m_givenUpBy.value_or(Error{ErrorCode::Cancelled});
}

/// The error code of a call whose worker died.
ErrorCode PoolCore::deathCode() const
{
    const bool breaks = m_options.onCrash.value_or(m_policy.onCrash) == OnCrash::Break;
    return breaks ? ErrorCode::BrokenPool : ErrorCode::WorkerDied;
}

} // namespace proclab
