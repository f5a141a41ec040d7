// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/pool/pool.h"
#include "tests/faults/fault_tasks.h"
#include "tests/faults/killer.h"

#include <QString>

#include <map>
#include <set>

namespace proclab::test {

/// What became of calls.
struct CallCounts
{
    quint64 done = 0;
    quint64 lost = 0;      ///< WorkerDied.
    quint64 timedOut = 0;  ///< Timeout.
    quint64 cancelled = 0; ///< By terminate().
};

/// What a pool does with its dying workers, for the judgement of what it did.
struct PoolRules
{
    OnCrash onCrash = OnCrash::Fail;
    bool endsOverruns = false; ///< It has a task timeout.
};

/// Gives a pool batches of calls while its workers are being killed, and judges each answer: each
/// call ends once, with the right value or with an error that names a process which was killed (or
/// stopped, for Timeout); a kill costs one call at most, or one chunk where a chunk has one answer;
/// a call is retried only where the pool says so.
///
/// Errors: the first finding stops everything: finding() says it.
class BatchRunner
{
public:
    BatchRunner(const SharedNote<BeginNotes> &begun, const Killer &killer);

    /// A new pool, with processes of its own.
    void beginPool(const PoolRules &rules);
    /// Some calls, of a form that follows from @p random; waits for them. False: a finding.
    bool run(Pool &pool, QRandomGenerator &random);
    /// The same, with terminate() while they are under way.
    bool runAndTerminate(Pool &pool, QRandomGenerator &random);

    [[nodiscard]] const CallCounts &counts() const { return m_counts; }
    /// Empty: none.
    [[nodiscard]] const QString &finding() const { return m_finding; }
    /// The batch that runs, in words.
    [[nodiscard]] const QString &description() const { return m_description; }

private:
    enum class Ends { WithItsCalls, Early };

    bool applySmall(Pool &pool, QRandomGenerator &random, Ends ends);
    bool applyLarge(Pool &pool, QRandomGenerator &random);
    bool mapChunks(Pool &pool, QRandomGenerator &random);
    template<typename Stream>
    bool readSmall(Stream stream, quint64 count, bool isOrdered);
    bool streamLarge(Pool &pool, QRandomGenerator &random);
    bool streamSmall(Pool &pool, QRandomGenerator &random);

    void describe(const char *form, quint64 calls, quint64 chunk);
    [[nodiscard]] std::vector<SmallJob> smallJobs(QRandomGenerator &random, quint64 count) const;
    [[nodiscard]] LargeJob largeJob(QRandomGenerator &random, quint64 call) const;
    template<typename T>
    bool waitFor(const AsyncResult<T> &handle);
    bool takeSmall(const std::tuple<std::uint64_t, std::uint64_t> &value, quint64 call);
    bool takeLarge(const std::vector<std::byte> &bytes, quint64 call);
    bool takeError(const Error &error);
    bool countDone(quint64 call);
    bool checkBegins(quint64 calls);
    bool waitForNoMemory(const Pool &pool);
    bool find(const QString &what);

    const SharedNote<BeginNotes> &m_begun;
    const Killer &m_killer;
    PoolRules m_rules;
    bool m_isTerminated = false;
    CallCounts m_counts;
    std::map<qint64, int> m_costOf; ///< Calls that the death of a process has cost.
    std::vector<char> m_answered;   ///< By call, of this batch.
    QString m_finding;
    QString m_description;
};

/// How long a batch may take before it counts as hanging.
constexpr std::chrono::seconds batchLimit{60};

} // namespace proclab::test
