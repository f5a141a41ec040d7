// SPDX-License-Identifier: GPL-3.0-or-later

// Processes that change two numbers under a lock: nobody finds them different without being told
// that the owner before has died, and no change of who lives is lost.

#include "core/call/remote_error.h"
#include "core/memory/array.h"
#include "core/runtime/clock.h"
#include "tests/faults/crew.h"
#include "tests/faults/scene.h"

#include <array>
#include <cstdlib>

using namespace Qt::StringLiterals;

namespace proclab::test {

namespace {

constexpr int maxMembers = 24;
constexpr qint64 changesEach = 400;

/// The notes: of each member the changes it has begun, and completed; then what is the same for
/// all.
constexpr std::size_t recoveredPlace = 2 * maxMembers;
constexpr std::size_t wrongPlace = recoveredPlace + 1;
constexpr std::size_t deadPidPlace = wrongPlace + 1; ///< And behind it, one for each recovery.
constexpr std::size_t notesSize = deadPidPlace + maxMembers;

std::atomic_ref<qint64> note(const Array<qint64> &notes, std::size_t place)
{
    return std::atomic_ref(notes.storage()[place]);
}

/// With the lock, after acquire(): repairs what a dead owner left, looks, and changes both.
void change(const Array<qint64> &pair, const Array<qint64> &notes, const Acquired &acquired)
{
    volatile qint64 *numbers = pair.storage().data();
    if (acquired.isRecovered) {
        // In this order: it may be killed in between.
        const auto recovery = static_cast<std::size_t>(note(notes, recoveredPlace));
        if (recovery < maxMembers)
            note(notes, deadPidPlace + recovery) = acquired.deadPid;
        ++note(notes, recoveredPlace);
        numbers[1] = numbers[0];
    }
    if (numbers[0] != numbers[1])
        ++note(notes, wrongPlace);
    numbers[0] = numbers[0] + 1;
    const std::int64_t until = runtime::nowNs() + numbers[0] % 16 * 1'000;
    while (runtime::nowNs() < until) {
    }
    numbers[1] = numbers[1] + 1;
}

void changeOften(Array<qint64> pair, Array<qint64> notes, int member)
{
    const bool isRecursive = std::holds_alternative<RLock>(pair.lock());
    const auto begun = static_cast<std::size_t>(2 * member);
    for (qint64 i = 0; i < changesEach; ++i) {
        const auto acquired = pair.acquire(callLimit);
        if (!acquired)
            std::exit(exitHangs);
        note(notes, begun) = i + 1;
        const bool isTwice = isRecursive && i % 3 == 0;
        if (isTwice && !pair.acquire(callLimit))
            std::exit(exitWrongError);
        change(pair, notes, *acquired);
        note(notes, begun + 1) = i + 1;
        if ((isTwice && !pair.release()) || !pair.release())
            std::exit(exitWrongError);
    }
}

Array<qint64> pairWithALock(QRandomGenerator &random)
{
    const std::array<qint64, 2> zeros = {};
    switch (random.bounded(3)) {
    case 0:
        return valueOrThrow(Array<qint64>::create(zeros, valueOrThrow(Lock::create())));
    case 1:
        return valueOrThrow(Array<qint64>::create(zeros, valueOrThrow(RLock::create())));
    default:
        return valueOrThrow(Array<qint64>::create(zeros));
    }
}

class LockRound
{
public:
    explicit LockRound(Round &round)
        : m_round(round)
        , m_pair(pairWithALock(round.random))
        , m_notes(valueOrThrow(Array<qint64>::create(notesSize, Locking::None)))
        , m_crew(round.killer)
    {}

    QString play()
    {
        const int members = m_round.random.bounded(2, 6);
        for (int i = 0; i < members; ++i)
            startMember();
        m_round.killer.aimAt([this] { return m_crew.pids(); });
        const QDeadlineTimer deadline(roundLimit);
        while (m_finding.isEmpty() && !m_crew.isEmpty()) {
            const auto end = m_crew.takeEnd(deadline);
            if (!end)
                m_finding = u"a process does not end"_s;
            else if (end->exitCode != 0)
                m_finding = exitText(end->exitCode);
            else if (end->wasKilled)
                startMember();
        }
        if (m_finding.isEmpty())
            judge();
        m_round.killer.release();
        return m_finding;
    }

private:
    void startMember()
    {
        if (m_started == maxMembers)
            return;
        const ProcessOptions options = {.startMethod = m_round.startMethod()};
        if (!m_crew.start(Process::create<changeOften>(options, m_pair, m_notes, m_started),
                          m_started))
            m_finding = m_crew.finding();
        ++m_started;
    }

    void judge()
    {
        const auto acquired = m_pair.acquire(callLimit);
        if (!acquired) {
            m_finding = u"the lock of dead processes is not free"_s;
            return;
        }
        change(m_pair, m_notes, *acquired);
        (void)m_pair.release();
        qint64 begun = 1;
        qint64 completed = 1;
        for (std::size_t i = 0; i < maxMembers; ++i) {
            begun += note(m_notes, 2 * i);
            completed += note(m_notes, 2 * i + 1);
        }
        const qint64 recovered = note(m_notes, recoveredPlace);
        const qint64 changes = m_pair.storage()[0];
        if (note(m_notes, wrongPlace) != 0)
            m_finding = u"somebody found damage and was not told why"_s;
        else if (changes != m_pair.storage()[1] || changes < completed || changes > begun)
            m_finding = u"%1 and %2 changes, %3 begun, %4 completed"_s.arg(changes)
                            .arg(m_pair.storage()[1])
                            .arg(begun)
                            .arg(completed);
        for (qint64 i = 0; i < std::min<qint64>(recovered, maxMembers); ++i) {
            const qint64 pid = note(m_notes, deadPidPlace + static_cast<std::size_t>(i));
            if (m_round.killer.killsOf(pid) == 0)
                m_finding = u"process %1 is said to have died with the lock"_s.arg(pid);
        }
        if (recovered > m_started)
            m_finding = u"%1 of %2 processes died with the lock"_s.arg(recovered).arg(m_started);
    }

    Round &m_round;
    const Array<qint64> m_pair;
    const Array<qint64> m_notes;
    Crew m_crew;
    int m_started = 0;
    QString m_finding;
};

} // namespace

QString playLock(Round &round)
{
    return LockRound(round).play();
}

} // namespace proclab::test
