// SPDX-License-Identifier: GPL-3.0-or-later

// Processes that end in every way, some with children of their own: each says how it ended, and
// nobody below it is left (which whoever plays the round sees).

#include "tests/faults/crew.h"
#include "tests/faults/scene.h"

#include <array>
#include <csignal>
#include <cstdlib>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab::test {

namespace {

constexpr int maxMembers = 8;

/// What a member does, and how the round ends it.
enum class Way { Exits, Throws, IsTerminated, IsKilled, WaitsForChildren, LeavesChildren };
constexpr quint32 ways = 6;

void exitWith(int code)
{
    std::exit(code);
}

void throwSomething()
{
    throw std::runtime_error("as asked for");
}

void stay()
{
    for (;;)
        ::pause();
}

/// Has a child, and that one @p depth - 1 below it; all stay if @p isToStay.
void nest(int depth, bool isToStay)
{
    if (depth > 0) {
        const auto child = Process::create<nest>({}, depth - 1, isToStay);
        if (!child || !child->start())
            std::exit(exitWrongError);
        if (!isToStay && !child->join(callLimit))
            std::exit(exitHangs);
    }
    if (isToStay)
        stay();
}

class ProcessRound
{
public:
    explicit ProcessRound(Round &round) : m_round(round), m_crew(round.killer) {}

    QString play()
    {
        m_round.killer.aimAt([this] { return m_crew.pids(); });
        const int members = m_round.random.bounded(1, maxMembers + 1);
        for (int number = 0; number < members && m_finding.isEmpty(); ++number) {
            startMember(number);
            endSome(1);
        }
        endSome(0);
        m_round.killer.release();
        return m_finding;
    }

private:
    struct Member
    {
        std::optional<Process> process;
        int expected = 0; ///< Its exit code.
    };

    Result<Process> make(Way way, int &expected)
    {
        const ProcessOptions options = {.startMethod = m_round.startMethod()};
        switch (way) {
        case Way::Exits:
            expected = m_round.random.bounded(100);
            return Process::create<exitWith>(options, expected);
        case Way::Throws:
            expected = 1;
            return Process::create<throwSomething>(options);
        case Way::IsTerminated:
            expected = -SIGTERM;
            return Process::create<stay>(options);
        case Way::IsKilled:
            expected = -SIGKILL;
            return Process::create<stay>(options);
        case Way::WaitsForChildren:
            return Process::create<nest>(options, 1, false);
        case Way::LeavesChildren:
            break;
        }
        expected = -SIGKILL;
        return Process::create<nest>(options, 2, true);
    }

    void startMember(int number)
    {
        Member &member = m_members[static_cast<std::size_t>(number)];
        const auto process = make(static_cast<Way>(m_round.random.bounded(ways)), member.expected);
        if (!m_crew.start(process, number))
            m_finding = m_crew.finding();
        else
            member.process = *process;
    }

    /// Takes ends until no more than @p left are there, at random instants asking for them.
    void endSome(std::size_t left)
    {
        const QDeadlineTimer deadline(roundLimit);
        while (m_finding.isEmpty() && m_crew.pids().size() > left) {
            askOne();
            const auto end = m_crew.takeEnd(QDeadlineTimer(m_round.random.bounded(1, 10)));
            const int expected =
                end ? m_members[static_cast<std::size_t>(end->number)].expected : 0;
            if (end && !end->wasKilled && end->exitCode != expected)
                m_finding = u"exit code %1 in place of %2"_s.arg(end->exitCode).arg(expected);
            if (!end && deadline.hasExpired())
                m_finding = u"a process does not end"_s;
        }
    }
    void askOne()
    {
        const Member &member = m_members[m_round.random.bounded(maxMembers)];
        if (member.process && member.expected == -SIGTERM)
            (void)member.process->terminate();
        else if (member.process && member.expected == -SIGKILL)
            (void)member.process->kill();
    }

    Round &m_round;
    Crew m_crew;
    std::array<Member, maxMembers> m_members;
    QString m_finding;
};

} // namespace

QString playProcess(Round &round)
{
    return ProcessRound(round).play();
}

} // namespace proclab::test
