// SPDX-License-Identifier: GPL-3.0-or-later

// Producers and consumers of a Queue: an item of who lives comes once, and in order.

#include "core/call/remote_error.h"
#include "core/ipc/queue.h"
#include "core/memory/array.h"
#include "tests/faults/crew.h"
#include "tests/faults/fault_tasks.h"
#include "tests/faults/scene.h"

#include <array>
#include <cstdlib>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab::test {

namespace {

constexpr quint32 itemsEach = 150;
/// All of a round, one after the other.
constexpr quint32 maxProducers = 24;
/// Instead of a producer's number: the consumer may end.
constexpr quint32 endMark = maxProducers;
constexpr int firstConsumer = 1'000;

/// Producer, number, the pattern that follows from both.
using Item = std::tuple<quint32, quint32, std::vector<std::byte>>;

/// In the notes: how many items each producer has put, then how often each was seen.
constexpr std::size_t notesSize = maxProducers * (1 + itemsEach);
std::atomic_ref<quint32> putNote(const Array<quint32> &notes, quint32 producer)
{
    return std::atomic_ref(notes.storage()[producer]);
}
std::atomic_ref<quint32> seenNote(const Array<quint32> &notes, quint32 producer, quint32 number)
{
    return std::atomic_ref(notes.storage()[maxProducers + producer * itemsEach + number]);
}

std::size_t bytesOf(quint32 producer, quint32 number)
{
    const std::uint64_t chance = answerOf(producer * itemsEach + number);
    if (chance % 500 == 0)
        return 2'200'000; // Too long for any ring.
    return 8 + chance / 500 % (chance % 20 == 0 ? 30'000 : 300);
}

void produce(Queue<Item> queue, Array<quint32> notes, quint32 producer)
{
    for (quint32 number = 0; number < itemsEach; ++number) {
        const Item item(producer, number,
                        patternOf(producer * itemsEach + number, bytesOf(producer, number)));
        if (const auto put = queue.put(item, callLimit); !put)
            std::exit(put.error().code == ErrorCode::Full ? exitHangs : exitWrongError);
        putNote(notes, producer) = number + 1;
    }
}

/// Whether an item is what was put; notes that it was seen.
bool see(const Item &item, const Array<quint32> &notes)
{
    const auto &[producer, number, bytes] = item;
    std::uint64_t call = 0;
    if (producer >= maxProducers || number >= itemsEach || !isPattern(bytes, call) ||
        call != producer * itemsEach + number)
        return false;
    ++seenNote(notes, producer, number);
    return true;
}

void consume(Queue<Item> queue, Array<quint32> notes)
{
    std::array<quint32, maxProducers> next = {};
    for (;;) {
        const Result<Item> item = queue.get(callLimit);
        if (!item)
            std::exit(item.error().code == ErrorCode::Empty ? exitHangs : exitWrongError);
        const auto &[producer, number, bytes] = *item;
        const bool isEnd = producer == endMark;
        if (!isEnd && !see(*item, notes))
            std::exit(exitDamaged);
        if (!isEnd && number < std::exchange(next[producer], number + 1))
            std::exit(exitDisordered);
        if (!queue.taskDone())
            std::exit(exitWrongError);
        if (isEnd)
            return;
    }
}

class QueueRound
{
public:
    explicit QueueRound(Round &round)
        : m_round(round)
        , m_queue(valueOrThrow(Queue<Item>::create(round.random.bounded(3) * 5)))
        , m_notes(valueOrThrow(Array<quint32>::create(notesSize, Locking::None)))
        , m_crew(round.killer)
    {}

    QString play()
    {
        const int producers = m_round.random.bounded(1, 5);
        const int consumers = m_round.random.bounded(1, 4);
        for (int i = 0; i < producers; ++i)
            startProducer();
        for (int i = 0; i < consumers; ++i)
            startConsumer();
        m_round.killer.aimAt([this] { return m_crew.pids(); });
        const QDeadlineTimer deadline(roundLimit);
        while (m_finding.isEmpty() && m_producing > 0) {
            if (!goOn(deadline))
                m_finding = u"neither does a producer end nor a consumer"_s;
        }
        m_round.killer.release();
        endConsumers();
        if (m_finding.isEmpty())
            judge();
        return m_finding;
    }

private:
    void startProducer()
    {
        if (m_started == maxProducers)
            return;
        m_producing += startOne(
            Process::create<produce>(options(), m_queue, m_notes, quint32(m_started)), m_started);
        ++m_started;
    }
    void startConsumer()
    {
        m_consuming +=
            startOne(Process::create<consume>(options(), m_queue, m_notes), firstConsumer);
    }
    [[nodiscard]] ProcessOptions options() const { return {.startMethod = m_round.startMethod()}; }
    int startOne(const Result<Process> &process, int number)
    {
        if (m_crew.start(process, number))
            return 1;
        m_finding = m_crew.finding();
        return 0;
    }

    /// Waits for the next end and deals with it. False: none has come.
    bool goOn(const QDeadlineTimer &deadline)
    {
        const auto end = m_crew.takeEnd(deadline);
        if (!end)
            return false;
        const bool isConsumer = end->number == firstConsumer;
        (isConsumer ? m_consuming : m_producing) -= 1;
        if (!end->wasKilled && (end->exitCode != 0 || (isConsumer && !m_isEnding)))
            m_finding = (isConsumer ? u"consumer: "_s : u"producer: "_s) % exitText(end->exitCode);
        m_ends -= isConsumer && m_isEnding ? 1 : 0; // One that was killed may have taken it too.
        m_killedConsumers += isConsumer && end->wasKilled ? 1 : 0;
        if (!isConsumer)
            m_hasLived[static_cast<std::size_t>(end->number)] = !end->wasKilled;
        if (end->wasKilled && !m_isEnding)
            isConsumer ? startConsumer() : startProducer();
        return true;
    }

    void endConsumers()
    {
        const QDeadlineTimer deadline(roundLimit);
        while (m_finding.isEmpty() && m_consuming > 0) {
            m_isEnding = true;
            if (m_ends < m_consuming && m_queue.put(Item(endMark, 0, {}), 5ms))
                ++m_ends;
            goOn(QDeadlineTimer(m_ends < m_consuming ? 0 : 5));
            if (deadline.hasExpired())
                m_finding = u"a consumer does not end"_s;
        }
    }

    void judge()
    {
        // What nobody was left to take.
        while (const auto item = m_queue.getNoWait()) {
            if (std::get<0>(*item) != endMark && !see(*item, m_notes))
                m_finding = u"what was left is damaged"_s;
            if (!m_queue.taskDone())
                m_finding = u"one item more is done than put"_s;
        }
        int missing = 0;
        for (quint32 producer = 0; producer < quint32(m_started); ++producer) {
            const quint32 put = putNote(m_notes, producer);
            if (m_hasLived[producer] && put != itemsEach)
                m_finding = u"a producer has not put all"_s;
            for (quint32 number = 0; number < itemsEach; ++number) {
                const quint32 times = seenNote(m_notes, producer, number);
                if (times > 1 || (times == 1 && number > put))
                    m_finding =
                        u"item %1 of producer %2 was seen %3 times, %4 were put"_s.arg(number)
                            .arg(producer)
                            .arg(times)
                            .arg(put);
                missing += number < put && times == 0 ? 1 : 0;
            }
        }
        if (!m_queue.join(callLimit))
            m_finding = u"join() waits for items that are done"_s;
        if (missing > m_queue.lostItems() || m_queue.lostItems() > m_killedConsumers)
            m_finding = u"%1 items missing, %2 lost, %3 consumers killed"_s.arg(missing)
                            .arg(m_queue.lostItems())
                            .arg(m_killedConsumers);
    }

    Round &m_round;
    const Queue<Item> m_queue;
    const Array<quint32> m_notes;
    Crew m_crew;
    int m_started = 0; ///< Producers.
    int m_producing = 0;
    int m_consuming = 0;
    bool m_isEnding = false;
    int m_ends = 0; ///< On their way to consumers.
    int m_killedConsumers = 0;
    std::array<bool, maxProducers> m_hasLived = {};
    QString m_finding;
};

} // namespace

QString playQueue(Round &round)
{
    return QueueRound(round).play();
}

} // namespace proclab::test
