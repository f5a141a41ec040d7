// SPDX-License-Identifier: GPL-3.0-or-later

// Other programs, each run by a thread: every run ends, with what the program wrote up to its
// death, and nobody of its process group is left.

#include "core/program/program.h"
#include "tests/faults/scene.h"
#include "tests/support/leak_check.h"

#include <QDeadlineTimer>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab::test {

namespace {

constexpr int maxPrograms = 6;
constexpr int longestOutput = 300'000;

/// What a program does, and how it is to end.
enum class Way { Exits, Writes, Echoes, IsTerminated, IsKilled, LeavesChildren, OutlastsItsLimit };
constexpr quint32 ways = 7;
constexpr quint32 waysOfOnesOwn = 5; ///< Without children, who outlive a parent's SIGKILL.

/// One program of a round; its thread writes, and nobody reads before `isOver`.
struct Job
{
    Way way = Way::Exits;
    int number = 0; ///< Its exit code, the size of its output, or its time limit in ms.
    bool isOver = false;
    Result<ProgramReport> result = Error{};
};

/// What the program of Way::Writes writes.
QByteArray lines(int size)
{
    QByteArray text;
    for (int i = 0; text.size() < size; ++i)
        text += "line " + QByteArray::number(i) + '\n';
    return text.first(size);
}

QByteArray script(const Job &job)
{
    switch (job.way) {
    case Way::Exits:
        return "exit " + QByteArray::number(job.number);
    case Way::Writes:
        return "awk 'BEGIN { for (;;) print \"line \" i++ + 0 }' | head -c " +
               QByteArray::number(job.number);
    case Way::LeavesChildren:
        return "sleep 1000 & sleep 1000 & exit 7";
    case Way::OutlastsItsLimit:
        return "sleep 1000 & sleep 1000 & wait";
    default:
        return "exec sleep 1000";
    }
}

/// Run by a thread of its own: waits for the end and reports it as Program::run() does.
Result<ProgramReport> endOne(const Job &job)
{
    const auto program = Program::open({.arguments = {script(job)}, .shell = true});
    if (!program)
        return program.error();
    const auto asked = job.way == Way::IsKilled ? program->kill() : program->terminate();
    if (!asked)
        return asked.error();
    const auto code = program->wait();
    if (!code)
        return code.error();
    return ProgramReport{.arguments = {}, .pid = program->pid(), .exitCode = *code};
}

Result<ProgramReport> play(const Job &job)
{
    switch (job.way) {
    case Way::IsTerminated:
    case Way::IsKilled:
        return endOne(job);
    case Way::Echoes:
        return Program::run(
            {.arguments = {"cat"}, .inputBytes = lines(job.number), .captureOutput = true});
    case Way::OutlastsItsLimit:
        return Program::run({.arguments = {script(job)},
                             .shell = true,
                             .captureOutput = true,
                             .timeout = std::chrono::milliseconds(job.number)});
    default:
        return Program::run({.arguments = {script(job)}, .shell = true, .captureOutput = true});
    }
}

class ProgramRound
{
public:
    explicit ProgramRound(Round &round) : m_round(round) {}

    QString play()
    {
        m_round.killer.aimAt(&ProgramRound::targets);
        const int count = m_round.random.bounded(1, maxPrograms + 1);
        for (int i = 0; i < count; ++i)
            start();
        const bool isOver = waitForAll();
        m_round.killer.release();
        if (!isOver)
            return u"a program's run does not end"_s;
        QString finding;
        for (const Job &job : m_shared->jobs) {
            if (finding.isEmpty())
                finding = judge(job);
        }
        return finding;
    }

private:
    struct Shared
    {
        std::mutex mutex;
        std::condition_variable oneIsOver;
        std::deque<Job> jobs; ///< Stay where they are.
        int left = 0;
    };

    /// Also those whom a dead shell has left to this program.
    static std::vector<qint64> targets()
    {
        std::vector<qint64> pids;
        for (const qint64 pid : childPids()) {
            if (!hasZygotesCommandLine(pid))
                pids.push_back(pid);
        }
        return pids;
    }

    void start()
    {
        Job job;
        job.way =
            static_cast<Way>(m_round.random.bounded(m_round.isUntilKilled ? waysOfOnesOwn : ways));
        switch (job.way) {
        case Way::Exits:
            job.number = m_round.random.bounded(100);
            break;
        case Way::OutlastsItsLimit:
            job.number = m_round.random.bounded(1, 60);
            break;
        default:
            job.number = m_round.random.bounded(longestOutput);
        }
        Job *place = nullptr;
        {
            const std::lock_guard lock(m_shared->mutex);
            place = &m_shared->jobs.emplace_back(job);
            ++m_shared->left;
        }
        // What hangs has what it needs for as long as it does.
        std::thread([shared = m_shared, place] {
            auto result = test::play(*place);
            const std::lock_guard lock(shared->mutex);
            place->result = std::move(result);
            place->isOver = true;
            --shared->left;
            shared->oneIsOver.notify_one();
        }).detach();
    }

    bool waitForAll()
    {
        std::unique_lock lock(m_shared->mutex);
        return m_shared->oneIsOver.wait_for(lock, roundLimit,
                                            [this] { return m_shared->left == 0; });
    }

    /// Empty: as it should be.
    [[nodiscard]] QString judge(const Job &job) const
    {
        const bool isLate = !job.result && job.result.error().code == ErrorCode::Timeout;
        if (!job.result && !isLate)
            return u"a run fails: "_s % errorText(job.result.error());
        const ProgramReport &report = isLate ? *job.result.error().program : *job.result;
        const bool isKilled = report.exitCode == -SIGKILL && m_round.killer.killsOf(report.pid) > 0;
        // Whom it left is of its group. A time limit has ended all of those: whoever plays the
        // round sees it if not.
        if (!isLate)
            ::kill(-static_cast<pid_t>(report.pid), SIGKILL);
        return isKilled ? judgeOutput(job, report, true) : judgeEnd(job, report, isLate);
    }
    static QString judgeEnd(const Job &job, const ProgramReport &report, bool isLate)
    {
        const bool isLimited = job.way == Way::OutlastsItsLimit;
        if (isLate != isLimited)
            return isLate ? u"a time limit that nobody set"_s
                          : u"a time limit that does not hold"_s;
        if (isLimited)
            return {};
        const int expected = job.way == Way::Exits            ? job.number
                             : job.way == Way::LeavesChildren ? 7
                             : job.way == Way::IsTerminated   ? -SIGTERM
                             : job.way == Way::IsKilled       ? -SIGKILL
                                                              : 0;
        if (report.exitCode != expected)
            return u"exit code %1 in place of %2"_s.arg(report.exitCode).arg(expected);
        return judgeOutput(job, report, false);
    }
    /// Of one that was killed, its beginning.
    static QString judgeOutput(const Job &job, const ProgramReport &report, bool isPart)
    {
        if (job.way != Way::Writes && job.way != Way::Echoes)
            return {};
        const QByteArray all = lines(job.number);
        const QByteArray output = report.output.value_or(QByteArray());
        if (isPart ? !all.startsWith(output) : output != all)
            return u"%1 bytes came that are not the %2 written"_s.arg(output.size())
                .arg(all.size());
        return {};
    }

    Round &m_round;
    const std::shared_ptr<Shared> m_shared = std::make_shared<Shared>();
};

} // namespace

QString playProgram(Round &round)
{
    return ProgramRound(round).play();
}

} // namespace proclab::test
