// SPDX-License-Identifier: GPL-3.0-or-later

// Pairs of processes with a Pipe between them: the death of one is the end of the messages for the
// other, which has received all that the dead one had sent, whole and in order.

#include "core/call/remote_error.h"
#include "core/ipc/connection.h"
#include "core/memory/array.h"
#include "tests/faults/crew.h"
#include "tests/faults/fault_tasks.h"
#include "tests/faults/scene.h"

#include <cerrno>
#include <cstdlib>

using namespace Qt::StringLiterals;

namespace proclab::test {

namespace {

constexpr int maxPairs = 4;
constexpr quint32 maxMessages = 400;

using Message = std::vector<std::byte>;

/// How many messages a side of a pair has sent, or received: in places of an array.
std::size_t sentPlace(int pair, int side)
{
    return static_cast<std::size_t>(4 * pair + 2 * side);
}
std::size_t receivedPlace(int pair, int side)
{
    return sentPlace(pair, side) + 1;
}

/// Different for each message of a round.
std::uint64_t callOf(int pair, int side, quint32 number)
{
    return sentPlace(pair, side) * maxMessages + number;
}

std::size_t bytesOf(std::uint64_t call)
{
    const std::uint64_t chance = answerOf(call);
    if (chance % 1'000 == 0)
        return 2'200'000; // Too long for any ring.
    return 8 + chance / 1'000 % (chance % 20 == 0 ? 60'000 : 500);
}

/// One side of a pair.
class Talker
{
public:
    Talker(const Connection &connection, const Array<quint32> &notes, int pair, int side)
        : m_connection(connection)
        , m_notes(notes)
        , m_pair(pair)
        , m_side(side)
    {}

    void send(quint32 number)
    {
        const std::uint64_t call = callOf(m_pair, m_side, number);
        const auto sent = m_connection.send(patternOf(call, bytesOf(call)), callLimit);
        if (sent)
            note(sentPlace(m_pair, m_side), number + 1);
        else if (sent.error().code == ErrorCode::OsError && sent.error().systemCode == EPIPE)
            std::exit(exitOtherGone);
        else
            std::exit(sent.error().code == ErrorCode::Timeout ? exitHangs : exitWrongError);
    }
    /// False: the other end is gone.
    bool receive(quint32 number)
    {
        const auto message = m_connection.receive<Message>(callLimit);
        if (!message && message.error().code == ErrorCode::EndOfStream)
            return false;
        if (!message)
            std::exit(message.error().code == ErrorCode::Timeout ? exitHangs : exitWrongError);
        std::uint64_t call = 0;
        if (!isPattern(*message, call))
            std::exit(exitDamaged);
        if (call != callOf(m_pair, 1 - m_side, number) || message->size() != bytesOf(call))
            std::exit(exitDisordered);
        note(receivedPlace(m_pair, m_side), number + 1);
        return true;
    }

private:
    void note(std::size_t place, quint32 count)
    {
        std::atomic_ref(m_notes.storage()[place]) = count;
    }

    const Connection m_connection;
    const Array<quint32> m_notes;
    const int m_pair;
    const int m_side;
};

// What the sides do.

void sendAll(Connection connection, Array<quint32> notes, int pair, int side, quint32 messages)
{
    Talker talker(connection, notes, pair, side);
    for (quint32 number = 0; number < messages; ++number)
        talker.send(number);
}

void receiveAll(Connection connection, Array<quint32> notes, int pair, int side)
{
    Talker talker(connection, notes, pair, side);
    quint32 number = 0;
    while (talker.receive(number))
        ++number;
}

void ask(Connection connection, Array<quint32> notes, int pair, int side, quint32 messages)
{
    Talker talker(connection, notes, pair, side);
    for (quint32 number = 0; number < messages; ++number) {
        talker.send(number);
        if (!talker.receive(number))
            std::exit(exitOtherGone);
    }
}

void answer(Connection connection, Array<quint32> notes, int pair, int side)
{
    Talker talker(connection, notes, pair, side);
    for (quint32 number = 0; talker.receive(number); ++number)
        talker.send(number);
}

class PipeRound
{
public:
    explicit PipeRound(Round &round)
        : m_round(round)
        , m_notes(valueOrThrow(Array<quint32>::create(4 * maxPairs, Locking::None)))
        , m_crew(round.killer)
    {}

    QString play()
    {
        const int pairs = m_round.random.bounded(1, maxPairs + 1);
        m_round.killer.aimAt([this] { return m_crew.pids(); });
        for (int pair = 0; pair < pairs && m_finding.isEmpty(); ++pair)
            startPair(pair);
        const QDeadlineTimer deadline(roundLimit);
        while (m_finding.isEmpty() && !m_crew.isEmpty()) {
            if (const auto end = m_crew.takeEnd(deadline))
                m_pairs[end->number / 2].ends[end->number % 2] = *end;
            else
                m_finding = u"a side does not end"_s;
        }
        m_round.killer.release();
        for (int pair = 0; pair < pairs && m_finding.isEmpty(); ++pair)
            judge(pair);
        return m_finding;
    }

private:
    struct Pair
    {
        bool isOneWay = false;
        quint32 messages = 0;
        Crew::End ends[2]; ///< By side.
    };

    void startPair(int number)
    {
        Pair &pair = m_pairs[number];
        pair.isOneWay = m_round.random.bounded(2) == 0;
        pair.messages = m_round.random.bounded(1U, maxMessages);
        const auto direction = pair.isOneWay ? Pipe::Direction::OneWay : Pipe::Direction::Duplex;
        const Pipe pipe = valueOrThrow(Pipe::create(direction));
        // The second end of a one-way pipe sends.
        const ProcessOptions options = {.startMethod = m_round.startMethod()};
        const auto first =
            pair.isOneWay
                ? Process::create<receiveAll>(options, pipe.first, m_notes, number, 0)
                : Process::create<ask>(options, pipe.first, m_notes, number, 0, pair.messages);
        const auto second =
            pair.isOneWay
                ? Process::create<sendAll>(options, pipe.second, m_notes, number, 1, pair.messages)
                : Process::create<answer>(options, pipe.second, m_notes, number, 1);
        if (!m_crew.start(first, 2 * number) || !m_crew.start(second, 2 * number + 1))
            m_finding = m_crew.finding();
        pipe.first.close();
        pipe.second.close();
    }

    [[nodiscard]] quint32 note(std::size_t place) const
    {
        return std::atomic_ref(m_notes.storage()[place]);
    }
    void judge(int number)
    {
        const Pair &pair = m_pairs[number];
        for (int side = 0; side < 2; ++side) {
            const Crew::End &end = pair.ends[side];
            const Crew::End &other = pair.ends[1 - side];
            const bool isGood =
                end.exitCode == exitGood || (end.exitCode == exitOtherGone && other.wasKilled);
            const quint32 received = note(receivedPlace(number, side));
            const quint32 sent = note(sentPlace(number, 1 - side));
            if (!isGood)
                m_finding = exitText(end.exitCode);
            else if (received > sent + 1 || (received > sent && !other.wasKilled))
                m_finding = u"%1 messages received of %2 sent"_s.arg(received).arg(sent);
            // Who sends may find nobody to read, with answers on their way.
            else if (!end.wasKilled && end.exitCode == exitGood && received < sent)
                m_finding =
                    u"%1 messages received of %2 sent, and then the end"_s.arg(received).arg(sent);
            if (!m_finding.isEmpty())
                m_finding += pair.isOneWay ? u", one way"_s : u", both ways"_s;
        }
    }

    Round &m_round;
    const Array<quint32> m_notes;
    Crew m_crew;
    Pair m_pairs[maxPairs];
    QString m_finding;
};

} // namespace

QString playPipe(Round &round)
{
    return PipeRound(round).play();
}

} // namespace proclab::test
