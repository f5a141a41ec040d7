// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/process.h"
#include "tests/faults/killer.h"

#include <QDeadlineTimer>
#include <QString>

#include <mutex>
#include <optional>
#include <vector>

namespace proclab::test {

/// The Processes of a round, at which a Killer may strike; those that are left end with it.
///
/// Threads: pids() any, all else one. Errors: the first finding is kept.
class Crew
{
public:
    explicit Crew(Killer &killer) : m_killer(killer) {}
    ~Crew();
    Crew(const Crew &) = delete;
    Crew &operator=(const Crew &) = delete;

    /// Starts one more, which is known by @p number. False: a finding.
    bool start(const Result<Process> &process, int number);

    struct End
    {
        int number = 0;
        bool wasKilled = false; ///< By the killer.
        int exitCode = 0;       ///< Of one that was not.
    };
    /// One that has ended, waiting for it until @p deadline; nothing: none has.
    std::optional<End> takeEnd(const QDeadlineTimer &deadline);
    [[nodiscard]] bool isEmpty() const;
    /// Of those that have not been seen to end.
    [[nodiscard]] std::vector<qint64> pids() const;
    [[nodiscard]] const QString &finding() const { return m_finding; }

private:
    struct Member
    {
        Process process;
        qint64 pid;
        int number;
    };

    Killer &m_killer;
    QString m_finding;
    mutable std::mutex m_mutex;
    std::vector<Member> m_members; // Guarded by m_mutex.
};

} // namespace proclab::test
