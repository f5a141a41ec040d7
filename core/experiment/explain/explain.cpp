// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/explain/explanation.h"

#include "core/experiment/explain/run_facts.h"
#include "core/experiment/spec/kind.h"

#include <algorithm>
#include <map>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// A fifth of the time without a core is more than the scheduler's usual jitter, and the run would
/// be as much shorter.
constexpr double muchReady = 0.2;
/// On so large a part of the cores the rest is what other programs and the lab itself take.
constexpr double nearlyAll = 0.85;
/// Processes that wait for a core while the run has less than that share the cores with others.
constexpr double onlyOurs = 0.7;
/// Below it a start is not noticed.
constexpr double noticedStart = 0.05;
/// Such a part of all the time is worth a second look.
constexpr double muchStart = 0.25;
/// A start method that takes at most that part of the time of the one that was used.
constexpr double muchCheaper = 0.7;

/// The tasks in which processes died, by process, as positions in RunLog::tasks.
std::map<int, qint64> fatalTasks(const RunFacts &facts)
{
    std::map<int, qint64> found;
    const RunTotals &totals = facts.result.totals;
    // Of other kinds a result is a process's, not what it had in hand.
    if (!facts.spec.kindInfo()->hasTasks || totals.failed + totals.lost == 0)
        return found;
    const AppendLog<TaskRecord> &tasks = facts.log.tasks;
    for (std::size_t i = 0, size = tasks.size(); i < size; ++i) {
        const TaskRecord &task = tasks[i];
        const bool isFatal = task.error == TaskError::Exit || task.error == TaskError::Signal ||
                             task.error == TaskError::Timeout || task.error == TaskError::Lost;
        if (isFatal && task.process >= 0)
            found[task.process] = static_cast<qint64>(i);
    }
    return found;
}

int successorOf(const QList<ProcessRecord> &processes, int process)
{
    const auto found =
        std::find_if(processes.begin(), processes.end(),
                     [process](const ProcessRecord &one) { return one.replaces == process; });
    return found == processes.end() ? -1 : static_cast<int>(found - processes.begin());
}

void explainCrash(const RunFacts &facts, QList<Explanation> &found)
{
    const std::map<int, qint64> tasks = fatalTasks(facts);
    Explanation crash{.weight = 1, .isWarning = true};
    for (int process = 0; process < facts.processes.size(); ++process) {
        if (hasCrashed(facts.processes[process]) || tasks.count(process) != 0)
            crash.processes.append(process);
    }
    if (crash.processes.isEmpty())
        return;
    const auto byEnd = [&facts](int a, int b) {
        return facts.processes[a].endNs < facts.processes[b].endNs;
    };
    std::stable_sort(crash.processes.begin(), crash.processes.end(), byEnd);
    const int first = crash.processes.first();
    const int successor = successorOf(facts.processes, first);
    const auto task = tasks.find(first);
    const ProcessRecord &dead = facts.processes[first];
    crash.fromNs = crash.toNs = dead.endNs;
    QJsonObject numbers{{"process"_L1, first}, {"deaths"_L1, crash.processes.size()}};
    if (task != tasks.end()) {
        const TaskRecord &record = facts.log.tasks[static_cast<std::size_t>(task->second)];
        numbers.insert("task"_L1, task->second);
        if (record.startedNs >= 0 && record.startedNs < dead.endNs) {
            crash.fromNs = record.startedNs;
            numbers.insert("spent_s"_L1, static_cast<double>(dead.endNs - crash.fromNs) / 1e9);
        }
    }
    if (successor >= 0) {
        crash.toNs = std::max(dead.endNs, facts.processes[successor].startNs);
        numbers.insert("successor"_L1, successor);
        numbers.insert("replaced_after_s"_L1, static_cast<double>(crash.toNs - dead.endNs) / 1e9);
    }
    crash.note = {"crash"_ba, numbers};
    found.append(crash);
}

/// Beside the children the parent works too, such as at handing over tasks.
double coresOfAll(const RunFacts &facts)
{
    return facts.usedCores() + facts.accounts.front().onCore / std::max(facts.aliveSeconds, 1e-9);
}

/// Who waits for a core while all are in use, by processes of the run or by others.
void explainReady(const RunFacts &facts, QList<Explanation> &found)
{
    const double ready = facts.children.readyShare();
    if (!facts.hasShares() || ready < muchReady)
        return;
    const double used = coresOfAll(facts);
    const bool isAlone = used >= onlyOurs * std::min(facts.cores, facts.crew);
    if (isAlone && facts.crew <= facts.cores)
        return; // Two that were put on one core: they would have had room.
    Explanation waits = facts.ofAll(isAlone ? "oversubscribed"_ba : "cores_taken"_ba,
                                    {{"ready_share"_L1, ready},
                                     {"processes"_L1, facts.crew},
                                     {"cores"_L1, facts.cores},
                                     {"used_cores"_L1, used}},
                                    ready);
    waits.isWarning = !isAlone;
    const QString &crewField = facts.spec.kindInfo()->crewField;
    if (isAlone && !crewField.isEmpty())
        waits.trial = {{crewField, facts.cores}};
    found.append(waits);
}

void explainFullCores(const RunFacts &facts, QList<Explanation> &found)
{
    const double used = facts.usedCores();
    if (facts.hasShares() && facts.crew <= facts.cores && used >= nearlyAll * facts.cores)
        found.append(facts.ofAll("cpu_bound"_ba,
                                 {{"used_cores"_L1, used}, {"cores"_L1, facts.cores}}, muchReady));
}

/// The cheapest start method, if they were measured and it takes much less than @p used.
QString cheaperMethod(const QJsonObject &costs, const QString &used)
{
    QString cheapest = used;
    for (auto cost = costs.begin(); cost != costs.end(); ++cost) {
        if (cost->isDouble() && cost->toDouble() < costs.value(cheapest).toDouble())
            cheapest = cost.key();
    }
    const bool isCheaper =
        costs.value(cheapest).toDouble() <= muchCheaper * costs.value(used).toDouble();
    return cheapest != used && isCheaper ? cheapest : QString();
}

void explainStart(const RunFacts &facts, QList<Explanation> &found)
{
    const double startup = facts.result.startupSeconds;
    const double share = startup / std::max(startup + facts.seconds(), 1e-9);
    if (startup < noticedStart || share < muchStart)
        return;
    const QString field = facts.spec.kind() % u".start_method"_s;
    const QString method = facts.spec.text(field);
    const QJsonObject costs = facts.result.outcome["start_method_s"_L1].toObject();
    const QString cheaper = cheaperMethod(costs, method);
    Explanation start{.note = {"startup"_ba,
                               {{"startup_s"_L1, startup},
                                {"elapsed_s"_L1, facts.seconds()},
                                {"processes"_L1, facts.crew},
                                {"method"_L1, method}}},
                      .fromNs = -static_cast<qint64>(startup * 1e9),
                      .weight = share};
    if (!cheaper.isEmpty()) {
        start.note.facts.insert("method_s"_L1, costs.value(method));
        start.note.facts.insert("cheaper"_L1, cheaper);
        start.note.facts.insert("cheaper_s"_L1, costs.value(cheaper));
        start.trial = {{field, cheaper}};
    }
    found.append(start);
}

/// What could not be looked at, and why.
void explainGaps(const RunFacts &facts, QList<Explanation> &found)
{
    if (facts.crew == 0 || facts.endNs <= 0)
        found.append(facts.ofAll("no_data"_ba, {}, 0));
    else if (!facts.isLongEnough)
        found.append(facts.ofAll(
            "too_short"_ba,
            {{"elapsed_s"_L1, facts.seconds()}, {"least_s"_L1, RunFacts::leastSampledSeconds}}, 0));
    else if (facts.children.seconds <= 0)
        found.append(facts.ofAll("no_samples"_ba, {}, 0));
    if (facts.result.stopped || facts.result.timeLimitReached)
        found.append(facts.ofAll("cut_short"_ba, {{"elapsed_s"_L1, facts.seconds()}}, 0));
}

using Rule = void (*)(const RunFacts &facts, QList<Explanation> &found);
constexpr Rule rules[] = {explainCrash, explainReady, explainFullCores, explainStart};

} // namespace

QList<Explanation> explain(const RunResult &result, int cores)
{
    const Kind *kind = result.spec.kindInfo();
    if (!kind || !result.log)
        return {};
    const RunFacts facts(result, cores);
    QList<Explanation> found;
    if (kind->explain)
        kind->explain(facts, found);
    for (const Rule rule : rules)
        rule(facts, found);
    std::stable_sort(found.begin(), found.end(), [](const Explanation &a, const Explanation &b) {
        return a.weight > b.weight;
    });
    explainGaps(facts, found);
    if (found.isEmpty())
        found.append(facts.ofAll("nothing"_ba, {}, 0));
    return found;
}

} // namespace proclab
