// SPDX-License-Identifier: GPL-3.0-or-later

// An Executor: each Future ends once, with the right value or with an error that deaths explain.

#include "core/executor/executor.h"
#include "tests/faults/fault_tasks.h"
#include "tests/faults/scene.h"

#include <QDeadlineTimer>
#include <QThread>

#include <array>
#include <atomic>
#include <memory>

using namespace Qt::StringLiterals;

namespace proclab::test {

namespace {

constexpr quint64 killsOfARound = 25;

class ExecutorRound
{
public:
    explicit ExecutorRound(Round &round)
        : m_round(round)
        , m_policy(std::array{OnCrash::Fail, OnCrash::Retry,
                              OnCrash::Break}[static_cast<std::size_t>(round.random.bounded(3))])
        , m_executor(valueOrThrow(Executor::open(optionsFor(round, m_policy))))
        , m_killsBefore(round.killer.kills())
    {}

    QString play()
    {
        m_round.killer.aimAt([this] { return m_executor.workerPids(); });
        while (m_finding.isEmpty() && !m_isBroken && kills() < killsOfARound)
            playBatch();
        m_round.killer.release();
        m_executor.shutdown(Executor::Wait::No);
        if (m_finding.isEmpty() && !m_executor.join(roundLimit))
            m_finding = u"the executor does not end"_s;
        if (m_finding.isEmpty() && !m_executor.workerPids().empty())
            m_finding = u"the executor has ended and has workers"_s;
        if (m_policy == OnCrash::Fail && m_lost > kills())
            m_finding = u"%1 calls lost by %2 kills"_s.arg(m_lost).arg(kills());
        if (m_policy == OnCrash::Retry && 2 * m_lost > kills())
            m_finding = u"%1 calls lost twice by %2 kills"_s.arg(m_lost).arg(kills());
        return m_finding;
    }

private:
    using Value = std::tuple<std::uint64_t, std::uint64_t>;
    /// How often each Future of a batch said that it is done; outlives the round, should one say so
    /// too late.
    using Ends = std::vector<std::atomic<int>>;

    static ExecutorOptions optionsFor(Round &round, OnCrash policy)
    {
        ExecutorOptions options;
        options.workers = round.random.bounded(1, 5);
        options.startMethod = round.startMethod();
        options.onCrash = policy;
        if (round.random.bounded(4) == 0)
            options.maxTasksPerWorker = round.random.bounded(1, 50);
        return options;
    }
    [[nodiscard]] quint64 kills() const { return m_round.killer.kills() - m_killsBefore; }

    void playBatch()
    {
        const auto count = m_round.random.bounded(1U, 200U);
        const auto ends = std::make_shared<Ends>(count);
        std::vector<Future<Value>> futures;
        for (quint32 call = 0; call < count; ++call) {
            const int workUs = m_round.random.bounded(400);
            futures.push_back(m_executor.submit<&answerSmall>(SmallJob(call, workUs)));
            futures.back().onDone([ends, call](const auto &) { ++(*ends)[call]; });
        }
        for (quint32 call = 0; call < count && m_finding.isEmpty(); ++call) {
            const Result<Value> value = futures[call].result(callLimit);
            if (!value)
                takeError(value.error());
            else if (*value != Value(call, answerOf(call)))
                m_finding = u"a wrong answer"_s;
        }
        for (quint32 call = 0; call < count && m_finding.isEmpty(); ++call) {
            // A waiter may be first, and the callbacks a moment later.
            const QDeadlineTimer deadline(callLimit);
            while ((*ends)[call] == 0 && !deadline.hasExpired())
                QThread::yieldCurrentThread();
            if ((*ends)[call] != 1)
                m_finding = u"a call has ended %1 times"_s.arg((*ends)[call]);
        }
    }

    void takeError(const Error &error)
    {
        const bool isBroken = error.code == ErrorCode::BrokenPool;
        if (kills() == 0 || isBroken != (m_policy == OnCrash::Break) ||
            (!isBroken && error.code != ErrorCode::WorkerDied))
            m_finding = u"an error that no kill explains: "_s % errorText(error);
        m_isBroken = m_isBroken || isBroken;
        m_lost += isBroken ? 0 : 1;
    }

    Round &m_round;
    const OnCrash m_policy;
    Executor m_executor;
    const quint64 m_killsBefore;
    quint64 m_lost = 0;
    bool m_isBroken = false;
    QString m_finding;
};

} // namespace

QString playExecutor(Round &round)
{
    return ExecutorRound(round).play();
}

} // namespace proclab::test
