// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/segment.h"
#include "tests/faults/kill_points.h"
#include "tests/support/forked_child.h"

#include <QSet>
#include <QTest>

#include <optional>
#include <utility>
#include <vector>

namespace proclab::test {

/// The forked processes of a run, each in the slot of its number; ends those that are left.
class Family
{
public:
    ~Family()
    {
        for (const pid_t pid : m_pids) {
            if (pid > 0 && ::kill(pid, SIGKILL) == 0)
                waitForChild(pid);
        }
    }
    template<typename Body>
    void add(KillPlan &plan, Body body)
    {
        const auto slot = static_cast<std::uint32_t>(m_pids.size());
        m_pids.push_back(forkChild([&plan, body, slot] {
            followKillPlan(&plan);
            return body(slot);
        }));
        ++m_left;
    }
    [[nodiscard]] int left() const { return m_left; }

    struct End
    {
        std::uint32_t slot = 0;
        pid_t pid = 0;
        bool wasKilled = false;
        int exitCode = 0;
    };
    /// One that has ended; nothing: none has.
    std::optional<End> reap()
    {
        for (std::uint32_t slot = 0; slot < m_pids.size(); ++slot) {
            int status = 0;
            if (m_pids[slot] <= 0 || ::waitpid(m_pids[slot], &status, WNOHANG) <= 0)
                continue;
            --m_left;
            return End{slot, std::exchange(m_pids[slot], 0), WIFSIGNALED(status),
                       WEXITSTATUS(status)};
        }
        return std::nullopt;
    }

private:
    std::vector<pid_t> m_pids;
    int m_left = 0;
};

/// Lets one process of a small run end at the first kill point, at the second, the third …
class KillPointWalk
{
public:
    [[nodiscard]] KillPlan &plan() const { return *m_plan.at<KillPlan>(0); }
    /// Where the run @p n has struck, for a finding.
    [[nodiscard]] QString place(std::uint64_t n) const
    {
        return QStringLiteral("point %1, %2: ").arg(n).arg(plan().pointName());
    }
    /// Calls @p run(n), whose processes go by plan(), until all points that it passes have been
    /// struck, those of @p groups for sure; ends with the first failure.
    template<typename Run>
    void visitAll(const QStringList &groups, Run run);

private:
    /// So many runs in a row in which nobody came to the n-th point: what processes pass differs a
    /// little from run to run.
    static constexpr int runsBeyond = 5;
    static constexpr int maxRepeats = 200;

    template<typename Run>
    void runAt(std::uint64_t n, const QString &only, Run run)
    {
        plan().begin(n, SIGKILL, only);
        run(n);
        if (plan().hasStruck())
            m_visited.insert(plan().pointName());
    }
    [[nodiscard]] QStringList missed(const QStringList &groups) const
    {
        QStringList names = allKillPoints();
        names.removeIf([&](const QString &name) {
            return m_visited.contains(name) || !groups.contains(name.section(u'.', 0, 0));
        });
        return names;
    }

    const runtime::Segment m_plan = runtime::Segment::create("proclab-test-plan", sizeof(KillPlan));
    QSet<QString> m_visited;
};

template<typename Run>
void KillPointWalk::visitAll(const QStringList &groups, Run run)
{
    std::uint64_t n = 0;
    for (int beyond = 0; beyond < runsBeyond && !QTest::currentTestFailed();) {
        runAt(++n, {}, run);
        beyond = plan().hasStruck() ? 0 : beyond + 1;
    }
    qInfo("%llu points", static_cast<unsigned long long>(n - runsBeyond));
    // What is passed once or twice in a run, at varying places, was perhaps no run's n-th point.
    for (int i = 0; i < maxRepeats && !missed(groups).isEmpty() && !QTest::currentTestFailed(); ++i)
        runAt(1, missed(groups).at(i % missed(groups).size()), run);
    if (!QTest::currentTestFailed())
        QCOMPARE(missed(groups).join(u' '), QString());
}

} // namespace proclab::test
