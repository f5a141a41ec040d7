// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/quantity_text.h"
#include "core/experiment/explain/run_facts.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class PipelineExplainText
{
    Q_DECLARE_TR_FUNCTIONS(PipelineExplain)
};

/// Fewer items give no mean of the time in the queue that is worth comparing.
constexpr std::size_t leastItems = 30;
/// So many of the items have to be followed on their way: where items come too fast, bars are
/// summaries and the rest is not known.
constexpr double nearlyAllItems = 0.9;
/// Such a queue was empty nearly always: a relative error of it says nothing.
constexpr double leastMeanDepth = 0.1;
constexpr int mostOfASide = 128;

/// How many of @p side would keep up with the other, which waits @p blocked of its time: without
/// the wait it is 1 / (1 - blocked) times as fast. No more than the cores have room for.
qint64 countThatKeepsUp(const RunFacts &facts, PipelineRoles::Role side, qint64 count,
                        double blocked)
{
    const double needed = std::ceil(static_cast<double>(count) / std::max(0.01, 1 - blocked));
    double room = mostOfASide;
    const double coreShare = facts.ofRole(side).coreShare();
    if (facts.hasShares() && coreShare > 0) {
        const double others = facts.usedCores() - coreShare * static_cast<double>(count);
        room = std::round((facts.cores - std::max(0.0, others)) / coreShare);
    }
    return static_cast<qint64>(std::min({needed, room, double{mostOfASide}}));
}

void explainBottleneck(const RunFacts &facts, QList<Explanation> &found)
{
    const QString slow = facts.result.outcome["bottleneck"_L1].toString();
    const qint64 producers = facts.spec.bigInteger(u"pipeline.producers"_s);
    const qint64 consumers = facts.spec.bigInteger(u"pipeline.consumers"_s);
    const double whole = std::max(facts.seconds(), 1e-9);
    const auto share = [&](QLatin1StringView key, qint64 count) {
        return std::min(1.0, facts.outcome(key) / (whole * static_cast<double>(count)));
    };
    const double full = share("blocked_on_full_s"_L1, producers);
    const double empty = share("blocked_on_empty_s"_L1, consumers);
    if (!facts.isLongEnough || slow.isEmpty())
        return; // Starting and ending are a large part of a short run.
    const bool isBalanced = slow == u"balanced"_s;
    Explanation pace = facts.ofAll(isBalanced ? "pipeline.balanced"_ba : "pipeline.bottleneck"_ba,
                                   {{"full_share"_L1, full}, {"empty_share"_L1, empty}},
                                   isBalanced ? 0.1 : std::max(full, empty));
    if (isBalanced) {
        found.append(pace);
        return;
    }
    const bool areConsumers = slow == u"consumers"_s;
    const auto side = areConsumers ? PipelineRoles::Consumer : PipelineRoles::Producer;
    const ProcessRole *role = &facts.spec.kindInfo()->roles[side];
    for (int process = 0; process < facts.processes.size(); ++process) {
        if (facts.processes[process].role == role)
            pace.processes.append(process);
    }
    const qint64 count = areConsumers ? consumers : producers;
    const qint64 better = countThatKeepsUp(facts, side, count, areConsumers ? full : empty);
    pace.note.facts.insert("slow"_L1, slow);
    pace.note.facts.insert("cores"_L1, facts.cores);
    pace.note.facts.insert("has_room"_L1, better > count);
    if (better > count)
        pace.trial = {{areConsumers ? u"pipeline.consumers"_s : u"pipeline.producers"_s, better}};
    found.append(pace);
}

/// The mean number of items in the queue while the consumers worked, as it was sampled: each
/// sample holds until the next.
std::optional<double> meanDepth(const RunFacts &facts)
{
    const AppendLog<GaugeSample> &gauges = facts.log.gauges;
    double sum = 0;
    for (std::size_t i = 1, size = gauges.size(); i < size; ++i)
        sum += gauges[i - 1].values[PipelineGauges::QueueDepth] *
               static_cast<double>(gauges[i].timeNs - gauges[i - 1].timeNs);
    const auto whole = static_cast<double>(gauges.isEmpty() ? 0 : gauges[gauges.size() - 1].timeNs);
    return whole > 0 ? std::optional(sum / whole) : std::nullopt;
}

/// How long items were in the queue: from the end of their producer's last bar to the beginning of
/// their consumer's.
std::vector<double> queueSeconds(const RunFacts &facts)
{
    const std::vector<ProcessRole> &roles = facts.spec.kindInfo()->roles;
    std::unordered_map<quint32, qint64> putNs;
    std::vector<double> seconds;
    const auto eachSpan = [&facts](const ProcessRole &role, auto take) {
        for (int process = 0; process < facts.processes.size(); ++process) {
            const AppendLog<Span> &spans = facts.log.lane(process).spans;
            const bool isOfRole = facts.processes[process].role == &role;
            for (std::size_t i = 0, size = isOfRole ? spans.size() : 0; i < size; ++i)
                take(spans[i]);
        }
    };
    eachSpan(roles[PipelineRoles::Producer], [&putNs](const Span &span) {
        if (span.count <= 1 && span.activity != Span::Activity::Failed &&
            span.activity != Span::Activity::Busy)
            putNs[span.index] = span.endNs;
    });
    eachSpan(roles[PipelineRoles::Consumer], [&](const Span &span) {
        const auto put = putNs.find(span.index);
        if (span.count != 1 || span.activity == Span::Activity::WaitingOnEmpty ||
            put == putNs.end())
            return;
        seconds.push_back(static_cast<double>(std::max<qint64>(0, span.startNs - put->second)) /
                          1e9);
        putNs.erase(put);
    });
    return seconds;
}

/// Little's law: the mean number in a queue is the rate of arrival times the mean time in it.
/// J. D. C. Little, A proof for the queuing formula L = λW, Operations Research 9 (1961), 383-387.
/// All three are measured apart, so the error tells how far the figures can be trusted.
void explainLittle(const RunFacts &facts, QList<Explanation> &found)
{
    const double consumed = facts.outcome("consumed"_L1);
    const auto depth = meanDepth(facts);
    if (!facts.isLongEnough || !depth || *depth < leastMeanDepth || consumed <= 0)
        return;
    const std::vector<double> times = queueSeconds(facts);
    if (times.size() < leastItems || static_cast<double>(times.size()) < nearlyAllItems * consumed)
        return;
    double mean = 0;
    for (const double time : times)
        mean += time / static_cast<double>(times.size());
    const double whole =
        static_cast<double>(facts.log.gauges[facts.log.gauges.size() - 1].timeNs) / 1e9;
    const double rate = consumed / whole;
    found.append(facts.ofAll("pipeline.little"_ba,
                             {{"depth"_L1, *depth},
                              {"rate"_L1, rate},
                              {"time_s"_L1, mean},
                              {"error"_L1, std::abs(rate * mean - *depth) / *depth}},
                             0.05));
}

QString bottleneckText(const RunNote &note)
{
    const bool areConsumers = note.facts.value("slow"_L1).toString() == u"consumers"_s;
    const QString full = shareText(note.number("full_share"_L1));
    const QString empty = shareText(note.number("empty_share"_L1));
    QString text =
        areConsumers
            ? PipelineExplainText::tr("The consumers set the pace: producers waited for room in "
                                      "the queue %1 of their time, consumers for items %2. A "
                                      "larger queue only puts off the wait.")
                  .arg(full, empty)
            : PipelineExplainText::tr("The producers set the pace: consumers waited for items %1 "
                                      "of their time, producers for room in the queue %2.")
                  .arg(empty, full);
    text += u' ';
    if (note.facts.value("has_room"_L1).toBool())
        return text + (areConsumers
                           ? PipelineExplainText::tr(
                                 "More consumers would take more items in the same time.")
                           : PipelineExplainText::tr(
                                 "More producers would make more items in the same time."));
    return text + PipelineExplainText::tr("More of them would find no free core: only less work "
                                          "for an item helps.");
}

} // namespace

void explainPipeline(const RunFacts &facts, QList<Explanation> &found)
{
    explainBottleneck(facts, found);
    explainLittle(facts, found);
}

QString pipelineExplanationText(const RunLog &, const RunNote &note)
{
    if (note.code == "pipeline.bottleneck")
        return bottleneckText(note);
    if (note.code == "pipeline.balanced")
        return PipelineExplainText::tr("Balanced: producers waited for room in the queue %1 of "
                                       "their time, consumers for items %2.")
            .arg(shareText(note.number("full_share"_L1)), shareText(note.number("empty_share"_L1)));
    if (note.code == "pipeline.little")
        return PipelineExplainText::tr("On average %1 items waited in the queue. Little's law says "
                                       "the same from other figures: %2 items per second × %3 in "
                                       "the queue = %4 (%5 off).")
            .arg(QString::number(note.number("depth"_L1), 'f', 1),
                 QString::number(note.number("rate"_L1), 'f', 1),
                 durationText(note.number("time_s"_L1)),
                 QString::number(note.number("rate"_L1) * note.number("time_s"_L1), 'f', 1),
                 shareText(note.number("error"_L1)));
    return {};
}

} // namespace proclab
