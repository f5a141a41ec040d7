// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/faults/crew.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <poll.h>

using namespace Qt::StringLiterals;

namespace proclab::test {

Crew::~Crew()
{
    for (const Member &member : m_members) {
        (void)member.process.kill();
        (void)member.process.join();
    }
}

bool Crew::start(const Result<Process> &process, int number)
{
    const Result<void> started = process ? process->start() : process.error();
    if (!started) {
        m_finding = u"a process cannot be started: "_s % errorText(started.error());
        return false;
    }
    const std::lock_guard lock(m_mutex);
    m_members.push_back({*process, *process->pid(), number});
    return true;
}

std::optional<Crew::End> Crew::takeEnd(const QDeadlineTimer &deadline)
{
    std::vector<pollfd> polled;
    for (const Member &member : m_members) // Others only read.
        polled.push_back({*member.process.sentinel(), POLLIN, 0});
    int count = 0;
    do {
        count = ::poll(polled.data(), polled.size(), static_cast<int>(deadline.remainingTime()));
    } while (count < 0 && errno == EINTR);
    if (count <= 0)
        return std::nullopt;
    const auto found = std::ranges::find_if(polled, [](const pollfd &one) { return one.revents; });
    const auto place = found - polled.begin();
    const Member member = m_members[static_cast<std::size_t>(place)];
    {
        const std::lock_guard lock(m_mutex);
        m_members.erase(m_members.begin() + place);
    }
    (void)member.process.join(); // It has ended; that is known in a moment.
    const int code = member.process.exitCode()->value_or(0);
    const bool wasKilled = code == -SIGKILL && m_killer.killsOf(member.pid) > 0;
    return End{member.number, wasKilled, wasKilled ? 0 : code};
}

bool Crew::isEmpty() const
{
    const std::lock_guard lock(m_mutex);
    return m_members.empty();
}

std::vector<qint64> Crew::pids() const
{
    const std::lock_guard lock(m_mutex);
    std::vector<qint64> pids;
    for (const Member &member : m_members)
        pids.push_back(member.pid);
    return pids;
}

} // namespace proclab::test
