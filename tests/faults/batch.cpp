// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/faults/batch.h"

#include <QDeadlineTimer>
#include <QRegularExpression>
#include <QThread>

#include <algorithm>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab::test {

namespace {

constexpr int maxWorkUs = 3'000;
constexpr int inlineLimit = 48; ///< Bytes that travel in a task's descriptor.

quint64 between(QRandomGenerator &random, int low, int high)
{
    return static_cast<quint64>(random.bounded(low, high + 1));
}

} // namespace

BatchRunner::BatchRunner(const SharedNote<BeginNotes> &begun, const Killer &killer)
    : m_begun(begun)
    , m_killer(killer)
{}

void BatchRunner::beginPool(const PoolRules &rules)
{
    m_rules = rules;
    m_isTerminated = false;
    m_costOf.clear();
}

bool BatchRunner::run(Pool &pool, QRandomGenerator &random)
{
    bool isGood = false;
    switch (random.bounded(5)) {
    case 0:
        isGood = applySmall(pool, random, Ends::WithItsCalls);
        break;
    case 1:
        isGood = applyLarge(pool, random);
        break;
    case 2:
        isGood = mapChunks(pool, random);
        break;
    case 3:
        isGood = streamSmall(pool, random);
        break;
    default:
        isGood = streamLarge(pool, random);
        break;
    }
    return isGood && checkBegins(m_answered.size()) && waitForNoMemory(pool);
}

bool BatchRunner::runAndTerminate(Pool &pool, QRandomGenerator &random)
{
    return applySmall(pool, random, Ends::Early);
}

// ---- forms of batches

bool BatchRunner::applySmall(Pool &pool, QRandomGenerator &random, Ends ends)
{
    const quint64 count = between(random, 1, 400);
    describe("apply, small", count, 1);
    std::vector<AsyncResult<std::tuple<std::uint64_t, std::uint64_t>>> handles;
    handles.reserve(count);
    for (const SmallJob &job : smallJobs(random, count))
        handles.push_back(pool.applyAsync<&answerSmall>(job));
    if (ends == Ends::Early) {
        waitFor(handles[random.bounded(static_cast<quint32>(count))]);
        m_isTerminated = true;
        pool.terminate();
    }
    for (quint64 call = 0; call < count; ++call) {
        if (!waitFor(handles[call]))
            return false;
        const auto value = handles[call].result();
        if (value ? !takeSmall(*value, call) : !takeError(value.error()))
            return false;
    }
    return true;
}

bool BatchRunner::applyLarge(Pool &pool, QRandomGenerator &random)
{
    const quint64 count = between(random, 1, 60);
    describe("apply, large", count, 1);
    std::vector<AsyncResult<std::vector<std::byte>>> handles;
    for (quint64 call = 0; call < count; ++call)
        handles.push_back(pool.applyAsync<&answerLarge>(largeJob(random, call)));
    for (quint64 call = 0; call < count; ++call) {
        if (!waitFor(handles[call]))
            return false;
        const auto bytes = handles[call].result();
        if (bytes ? !takeLarge(*bytes, call) : !takeError(bytes.error()))
            return false;
    }
    return true;
}

bool BatchRunner::mapChunks(Pool &pool, QRandomGenerator &random)
{
    const quint64 count = between(random, 1, 2'000);
    const quint64 chunk = between(random, 0, 200);
    describe("map", count, chunk);
    const auto handle = pool.mapAsync<&answerSmall>(smallJobs(random, count), chunk);
    if (!waitFor(handle))
        return false;
    const auto values = handle.result();
    if (!values)
        return takeError(values.error());
    if (values->size() != count)
        return find(u"map returned %1 values for %2 inputs"_s.arg(values->size()).arg(count));
    for (quint64 call = 0; call < count; ++call) {
        if (!takeSmall((*values)[call], call))
            return false;
    }
    return true;
}

template<typename Stream>
bool BatchRunner::readSmall(Stream stream, quint64 count, bool isOrdered)
{
    for (quint64 read = 0; read < count; ++read) {
        const auto value = stream.next(batchLimit);
        if (value ? !takeSmall(*value, isOrdered ? read : std::get<0>(*value))
                  : !takeError(value.error()))
            return false;
    }
    const auto end = stream.next(batchLimit);
    if (end || end.error().code != ErrorCode::EndOfStream)
        return find(u"a lazy map gives more than its inputs"_s);
    return true;
}

bool BatchRunner::streamSmall(Pool &pool, QRandomGenerator &random)
{
    const quint64 count = between(random, 1, 1'000);
    const quint64 chunk = between(random, 1, 50);
    const bool isOrdered = random.bounded(2) == 0;
    describe(isOrdered ? "imap" : "imapUnordered", count, chunk);
    auto jobs = smallJobs(random, count);
    if (isOrdered)
        return readSmall(pool.imap<&answerSmall>(std::move(jobs), chunk), count, true);
    return readSmall(pool.imapUnordered<&answerSmall>(std::move(jobs), chunk), count, false);
}

bool BatchRunner::streamLarge(Pool &pool, QRandomGenerator &random)
{
    const quint64 count = between(random, 1, 60);
    const quint64 chunk = between(random, 1, 10);
    describe("imap, large", count, chunk);
    std::vector<LargeJob> jobs;
    for (quint64 call = 0; call < count; ++call)
        jobs.push_back(largeJob(random, call));
    auto stream = pool.imap<&answerLarge>(std::move(jobs), chunk);
    for (quint64 call = 0; call < count; ++call) {
        const auto bytes = stream.next(batchLimit);
        if (bytes ? !takeLarge(*bytes, call) : !takeError(bytes.error()))
            return false;
    }
    return true;
}

// ---- inputs

void BatchRunner::describe(const char *form, quint64 calls, quint64 chunk)
{
    m_description =
        u"%1, %2 calls in chunks of %3"_s.arg(QLatin1StringView(form)).arg(calls).arg(chunk);
    m_answered.assign(calls, 0);
    for (quint64 call = 0; call < calls; ++call)
        m_begun->times[call].store(0, std::memory_order_relaxed);
}

std::vector<SmallJob> BatchRunner::smallJobs(QRandomGenerator &random, quint64 count) const
{
    // A third of the batches does nothing in its calls: their kills fall between calls.
    const bool isEmpty = random.bounded(3) == 0;
    std::vector<SmallJob> jobs;
    for (quint64 call = 0; call < count; ++call) {
        const int workUs = random.bounded(maxWorkUs / 100) * (random.bounded(20) == 0 ? 100 : 1);
        jobs.emplace_back(call, isEmpty ? 0 : workUs);
    }
    return jobs;
}

LargeJob BatchRunner::largeJob(QRandomGenerator &random, quint64 call) const
{
    const auto size = [&random] {
        const int limit = random.bounded(30) == 0 ? 400'000 : 10'000;
        return random.bounded(inlineLimit / 3, limit);
    };
    const int answerBytes = size();
    return {call, answerBytes, patternOf(call, static_cast<std::size_t>(size()))};
}

// ---- answers

template<typename T>
bool BatchRunner::waitFor(const AsyncResult<T> &handle)
{
    return handle.wait(batchLimit) || find(u"a call does not end"_s);
}

bool BatchRunner::takeSmall(const std::tuple<std::uint64_t, std::uint64_t> &value, quint64 call)
{
    if (std::get<0>(value) != call || std::get<1>(value) != answerOf(call))
        return find(u"call %1 has the answer of call %2"_s.arg(call).arg(std::get<0>(value)));
    return countDone(call);
}

bool BatchRunner::takeLarge(const std::vector<std::byte> &bytes, quint64 call)
{
    std::uint64_t answered = 0;
    if (!isPattern(bytes, answered))
        return find(u"call %1 has a damaged answer of %2 bytes"_s.arg(call).arg(bytes.size()));
    if (answered != call)
        return find(u"call %1 has the answer of call %2"_s.arg(call).arg(answered));
    return countDone(call);
}

bool BatchRunner::countDone(quint64 call)
{
    if (call >= m_answered.size() || m_answered[call]++ != 0)
        return find(u"call %1 is answered twice"_s.arg(call));
    if (m_begun->times[call].load(std::memory_order_relaxed) == 0)
        return find(u"call %1 is answered and was never begun"_s.arg(call));
    ++m_counts.done;
    return true;
}

bool BatchRunner::takeError(const Error &error)
{
    const QString text = errorText(error);
    if (m_isTerminated && error.code == ErrorCode::Cancelled) {
        ++m_counts.cancelled;
        return true;
    }
    if (error.code == ErrorCode::Timeout && error.subject.isEmpty())
        return find(u"a call does not end"_s);
    static const QRegularExpression form(u"PID (\\d+) in .*, attempt (\\d+)"_s);
    const QRegularExpressionMatch named = form.match(error.subject);
    const qint64 pid = named.captured(1).toLongLong();
    if (!named.hasMatch())
        return find(u"an error that names no process: "_s % text);
    const bool isTimeout = error.code == ErrorCode::Timeout && m_rules.endsOverruns;
    if (!isTimeout && (error.code != ErrorCode::WorkerDied || !error.found.contains(u"SIGKILL"_s)))
        return find(u"an error that no kill explains: "_s % text);
    const int blows = isTimeout ? m_killer.stopsOf(pid) : m_killer.killsOf(pid);
    if (++m_costOf[pid] > blows)
        return find(
            u"process %1 was struck %2 times and has cost %3 calls: "_s.arg(pid).arg(blows).arg(
                m_costOf[pid]) %
            text);
    if (!isTimeout && m_rules.onCrash == OnCrash::Retry && named.captured(2).toInt() < 2)
        return find(u"lost at the first attempt: "_s % text);
    ++(isTimeout ? m_counts.timedOut : m_counts.lost);
    return true;
}

/// Without retries and time limits no call is begun a second time; else twice is the most, and once
/// more for each worker that was ended for the task before.
bool BatchRunner::checkBegins(quint64 calls)
{
    if (m_rules.endsOverruns)
        return true;
    const quint32 most = m_rules.onCrash == OnCrash::Retry ? 2 : 1;
    for (quint64 call = 0; call < calls; ++call) {
        const quint32 times = m_begun->times[call].load(std::memory_order_relaxed);
        if (times > most)
            return find(u"call %1 was begun %2 times"_s.arg(call).arg(times));
    }
    return true;
}

bool BatchRunner::waitForNoMemory(const Pool &pool)
{
    const QDeadlineTimer deadline(batchLimit);
    PoolMemory memory = pool.memoryInUse();
    while ((memory.arguments != 0 || memory.results != 0) && !deadline.hasExpired()) {
        QThread::yieldCurrentThread();
        memory = pool.memoryInUse();
    }
    if (memory.arguments == 0 && memory.results == 0)
        return true;
    return find(
        u"no call is left, but %1 bytes of arguments and %2 of results are"_s.arg(memory.arguments)
            .arg(memory.results));
}

bool BatchRunner::find(const QString &what)
{
    if (m_finding.isEmpty())
        m_finding = what;
    return false;
}

} // namespace proclab::test
