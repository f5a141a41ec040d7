// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_scene.h"
#include "core/experiment/kinds/pipeline/pipeline_state.h"
#include "core/experiment/run/rate_meter.h"
#include "core/experiment/run/scene_runner.h"
#include "core/experiment/spec/item_names.h"
#include "core/experiment/spec/kind.h"

#include <QJsonArray>

#include <atomic>
#include <map>
#include <ranges>
#include <utility>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

using pipeline::Consumer;
using pipeline::Item;
using pipeline::Producer;

constexpr int glanceItems = 64;
constexpr auto glancePatience = 1ms;

/// Runs `pipeline` experiments: producers and consumers around one queue.
class PipelineRunner final : public SceneRunner
{
public:
    explicit PipelineRunner(RunnerContext context);
    ~PipelineRunner() override { endDirecting(); }

    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    Result<std::vector<Member>> setUp() override;
    Result<Process> cast(const Member &member, const Cue &cue,
                         const ProcessOptions &options) override;
    void memberEnded(std::size_t index, const ProcessEnd &end) override;
    bool goOn() override;
    void accumulate(std::size_t index, const ActivityState &state) override;
    [[nodiscard]] quint64 itemNumber(const Member &member, quint64 told) const override;

private:
    /// What processes that have ended have counted.
    struct Sums
    {
        QList<quint64> perProducer;
        QList<quint64> perConsumer;
        quint64 failedItems = 0; ///< Whose workload threw or ended its process.
        quint64 lostItems = 0;   ///< In the hands of a process that was ended from outside.
        qint64 blockedOnFullNs = 0;
        qint64 blockedOnEmptyNs = 0;
    };

    void producerEnded(std::size_t index, const ProcessEnd &end);
    void consumerEnded(std::size_t index, const ProcessEnd &end);
    void countLostItem(const ProcessEnd &end, int process, std::optional<quint64> number);
    /// What the ended process of @p member did with the queue.
    QueueTraffic takeTraffic(const Member &member);
    void endProducer();
    void putEnds();
    [[nodiscard]] QList<QueuedItem> nextItems() const;
    [[nodiscard]] qint64 enteredNs(const Codec<Item>::Head &head) const;
    [[nodiscard]] bool isProducer(std::size_t index) const { return index < m_producers; }
    [[nodiscard]] quint64 itemCount() const;

    const quint32 m_producers;
    const quint32 m_consumers;
    const ItemNames m_names;
    const quint64 m_limit; ///< The queue's capacity as asked for; 0: unbounded.
    pipeline::Production m_production;
    std::optional<Queue<Item>> m_queue;        ///< Guarded by m_mutex until it is there.
    std::map<quint32, QueueTraffic> m_traffic; ///< By member number, of those that have ended.
    QueueTraffic m_lastTraffic;                ///< Of the one that has ended last.
    quint32 m_producersEnded = 0;
    quint32 m_endsPut = 0;
    std::atomic<qint64> m_endsSinceNs{0};
    Sums m_sums; ///< Guarded by m_mutex.
    RateMeter m_putRate;
    RateMeter m_getRate;
    RateMeter m_fullRate;
    RateMeter m_emptyRate;
};

PipelineRunner::PipelineRunner(RunnerContext context)
    : SceneRunner(context)
    , m_producers(static_cast<quint32>(context.spec.integer(u"pipeline.producers"_s)))
    , m_consumers(static_cast<quint32>(context.spec.integer(u"pipeline.consumers"_s)))
    , m_names(context.spec)
    , m_limit(static_cast<quint64>(context.spec.bigInteger(u"pipeline.capacity"_s)))
{
    m_sums.perProducer.resize(m_producers);
    m_sums.perConsumer.resize(m_consumers);
    m_production.producers = m_producers;
    m_production.itemBytes = static_cast<quint32>(context.spec.integer(u"pipeline.item_bytes"_s));
    m_production.itemsEach =
        static_cast<quint64>(context.spec.bigInteger(u"pipeline.items_per_producer"_s));
    for (const QJsonValue &text : context.spec.value(u"pipeline.items"_s).toArray())
        m_production.texts.push_back(text.toString().toUtf8());
    if (const quint64 texts = m_production.texts.size(); texts != 0)
        m_production.itemsEach = (texts + m_producers - 1) / m_producers;
}

quint64 PipelineRunner::itemCount() const
{
    return m_production.texts.empty() ? m_producers * m_production.itemsEach
                                      : m_production.texts.size();
}

Result<std::vector<SceneRunner::Member>> PipelineRunner::setUp()
{
    const auto queue = Queue<Item>::create(static_cast<int>(m_limit), pipeline::mostQueueBytes);
    if (!queue)
        return queue.error();
    queue->noteMostItems();
    m_production.work = workAt(u"produce"_s);
    const std::lock_guard lock(m_mutex);
    m_queue = *queue;
    std::vector<Member> all(m_producers + m_consumers);
    for (quint32 i = 0; i < all.size(); ++i) {
        all[i].role =
            &kind().roles[isProducer(i) ? PipelineRoles::Producer : PipelineRoles::Consumer];
        all[i].ordinal = isProducer(i) ? i : i - m_producers;
    }
    return all;
}

Result<Process> PipelineRunner::cast(const Member &member, const Cue &cue,
                                     const ProcessOptions &options)
{
    if (member.role == &kind().roles[PipelineRoles::Producer])
        return Process::create(options,
                               Producer{cue, *m_queue, m_production, member.ordinal, member.next});
    return Process::create(
        options, Consumer{cue, *m_queue, workAt(u"consume"_s), m_production.texts.empty()});
}

// ---- ends

void PipelineRunner::accumulate(std::size_t index, const ActivityState &state)
{
    m_lastTraffic = takeTraffic(members()[index]);
    // The last item may have come in without being counted as done any more.
    if (isProducer(index))
        m_sums.perProducer[static_cast<qsizetype>(index)] += m_lastTraffic.put;
    else
        m_sums.perConsumer[static_cast<qsizetype>(index - m_producers)] += state.done;
    m_sums.failedItems += state.failed;
    m_sums.blockedOnFullNs += state.waitedFor(runtime::WaitFor::Room);
    m_sums.blockedOnEmptyNs += state.waitedFor(runtime::WaitFor::Item);
}

void PipelineRunner::memberEnded(std::size_t index, const ProcessEnd &end)
{
    if (isProducer(index))
        producerEnded(index, end);
    else
        consumerEnded(index, end);
}

QueueTraffic PipelineRunner::takeTraffic(const Member &member)
{
    const quint32 number = member.activity->member();
    if (number == 0)
        return {}; // It has never been ready.
    const QueueTraffic now = m_queue->trafficOf(number);
    return now.since(std::exchange(m_traffic[number], now));
}

void PipelineRunner::producerEnded(std::size_t index, const ProcessEnd &end)
{
    const Member &member = members()[index];
    const ActivityState state = member.activity->state();
    if (state.phase == ActivityState::Phase::Done) {
        endProducer();
        return;
    }
    const quint64 counted = member.next + m_lastTraffic.put + state.failed;
    quint64 next = counted;
    // It came in, has failed, or is still to be made.
    if (state.item && counted == *state.item && isOwnDoing(end)) {
        countLostItem(end, member.log, itemNumber(member, next));
        ++next; // It would end the next producer as well.
    }
    if (next < m_production.itemsEach)
        replace(index, next);
    else
        endProducer();
}

void PipelineRunner::consumerEnded(std::size_t index, const ProcessEnd &end)
{
    const Member &member = members()[index];
    const ActivityState state = member.activity->state();
    if (state.phase == ActivityState::Phase::Done)
        return;
    if (m_lastTraffic.got > state.done + state.failed)
        countLostItem(end, member.log, state.item);
    if (m_lastTraffic.ends == 0)
        replace(index, 0);
}

void PipelineRunner::countLostItem(const ProcessEnd &end, int process,
                                   std::optional<quint64> number)
{
    {
        const std::lock_guard lock(m_mutex);
        ++(isOwnDoing(end) ? m_sums.failedItems : m_sums.lostItems);
    }
    RunNote note{"pipeline.unknown_item_lost"_ba};
    if (number)
        note = {"pipeline.item_lost"_ba,
                {{"item"_L1, static_cast<qint64>(*number)}, {"name"_L1, m_names.nameOf(*number)}}};
    addEvent(RunEvent::Severity::Failure, process, note);
}

void PipelineRunner::endProducer()
{
    if (++m_producersEnded == m_producers)
        putEnds();
}

bool PipelineRunner::goOn()
{
    if (m_producersEnded < m_producers || m_endsPut == m_consumers)
        return false;
    putEnds();
    return m_endsPut < m_consumers;
}

/// One END for each consumer, as far as there is room: consumers that die meanwhile are replaced by
/// this thread.
void PipelineRunner::putEnds()
{
    while (m_endsPut < m_consumers) {
        if (!m_queue->putEnd(1, 0ns))
            return;
        if (m_endsPut++ == 0)
            m_endsSinceNs.store(runtime::nowNs(), std::memory_order_relaxed);
    }
    addEvent(RunEvent::Severity::Info, 0,
             {"pipeline.ends_put"_ba, {{"ends"_L1, static_cast<int>(m_consumers)}}});
}

// ---- looking on

/// A producer tells its own number.
quint64 PipelineRunner::itemNumber(const Member &member, quint64 told) const
{
    const bool isProducers = member.role == &kind().roles[PipelineRoles::Producer];
    return isProducers ? m_production.numberOf(member.ordinal, told) : told;
}

void PipelineRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    const std::lock_guard lock(m_mutex);
    SceneRunner::observe(snapshot, gauges);
    quint64 put = 0;
    quint64 got = 0;
    qint64 fullNs = m_sums.blockedOnFullNs;
    qint64 emptyNs = m_sums.blockedOnEmptyNs;
    for (const quint64 count : m_sums.perProducer)
        put += count;
    for (const quint64 count : m_sums.perConsumer)
        got += count;
    quint64 failed = m_sums.failedItems;
    for (std::size_t index = 0; index < members().size(); ++index) {
        const Member &member = members()[index];
        if (!member.isAlive)
            continue;
        const ActivityState state = member.activity->state();
        (isProducer(index) ? put : got) += state.done;
        failed += state.failed;
        fullNs += state.waitedFor(runtime::WaitFor::Room);
        emptyNs += state.waitedFor(runtime::WaitFor::Item);
    }
    snapshot.total = itemCount();
    snapshot.done = got;
    snapshot.failed = failed;
    snapshot.lost = m_sums.lostItems;
    auto shown = std::make_shared<PipelineState>();
    shown->capacity = m_limit;
    if (m_queue) {
        snapshot.queued = static_cast<quint64>(m_queue->size());
        if (snapshot.queued > 0)
            shown->items = nextItems();
    }
    snapshot.kindState = std::move(shown);
    m_putRate.add(gauges, PipelineGauges::PutRate, static_cast<double>(put));
    m_getRate.add(gauges, PipelineGauges::GetRate, static_cast<double>(got));
    gauges.values[PipelineGauges::QueueDepth] = static_cast<double>(snapshot.queued);
    m_fullRate.addShare(gauges, PipelineGauges::ProducersBlocked,
                        static_cast<double>(fullNs) / 1e7 / m_producers);
    m_emptyRate.addShare(gauges, PipelineGauges::ConsumersWaiting,
                         static_cast<double>(emptyNs) / 1e7 / m_consumers);
}

/// Those that leave the queue next.
QList<QueuedItem> PipelineRunner::nextItems() const
{
    const qint64 now = runtime::nowNs();
    QList<QueuedItem> items;
    quint32 ends = 0;
    const auto add = [&](std::span<const std::byte> bytes, bool isEnd) {
        if (isEnd) {
            const qint64 age = now - m_endsSinceNs.load(std::memory_order_relaxed);
            items.append({ends++, -1, true, std::max<qint64>(0, age)});
            return;
        }
        PayloadReader reader(bytes);
        const auto head = Codec<Item>::decodeHead(reader);
        const bool isKnown = head.producer < m_producers && head.producer < members().size();
        items.append({static_cast<quint32>(head.number),
                      isKnown ? members()[head.producer].log : -1, false,
                      std::max<qint64>(0, now - (isKnown ? enteredNs(head) : head.putNs))});
    };
    m_queue->glance(glanceItems, glancePatience, add);
    return items;
}

/// When an item came into the queue: where its producer had to wait for room, that was at the end
/// of the wait.
qint64 PipelineRunner::enteredNs(const Codec<Item>::Head &head) const
{
    constexpr qint64 nearlyAtOnceNs = 1'000'000;
    const int process = members()[head.producer].log;
    if (process < 0) // Whoever takes its place is about to start.
        return head.putNs;
    const AppendLog<Span> &spans = m_context.log.lane(process).spans;
    const qint64 madeNs = sinceGate(head.putNs);
    const auto places = std::views::iota(std::size_t{0}, spans.size());
    const auto after = std::ranges::partition_point(
        places, [&spans, madeNs](std::size_t at) { return spans[at].endNs <= madeNs; });
    // The item's own span may end a little later than it was made.
    for (const std::size_t at : std::ranges::subrange(after, places.end()) | std::views::take(2)) {
        const Span &span = spans[at];
        if (span.activity == Span::Activity::BlockedOnFull &&
            span.startNs - madeNs < nearlyAtOnceNs)
            return head.putNs + span.endNs - madeNs;
    }
    return head.putNs;
}

void PipelineRunner::complete(RunResult &result)
{
    SceneRunner::complete(result);
    const auto list = [](const QList<quint64> &numbers, quint64 &sum) {
        QJsonArray array;
        for (const quint64 number : numbers) {
            array.append(static_cast<qint64>(number));
            sum += number;
        }
        return array;
    };
    quint64 produced = 0;
    quint64 consumed = 0;
    const QJsonArray perProducer = list(m_sums.perProducer, produced);
    const QJsonArray perConsumer = list(m_sums.perConsumer, consumed);
    const double full = static_cast<double>(m_sums.blockedOnFullNs) / 1e9;
    const double empty = static_cast<double>(m_sums.blockedOnEmptyNs) / 1e9;
    // Who makes the others wait sets the pace; within a twentieth of the time nobody does.
    const double fullShare = full / m_producers;
    const double emptyShare = empty / m_consumers;
    const double margin = workSeconds() / 20;
    const QString bottleneck = fullShare > emptyShare + margin   ? u"consumers"_s
                               : emptyShare > fullShare + margin ? u"producers"_s
                                                                 : u"balanced"_s;
    result.outcome = QJsonObject{{u"produced"_s, static_cast<qint64>(produced)},
                                 {u"consumed"_s, static_cast<qint64>(consumed)},
                                 {u"per_producer"_s, perProducer},
                                 {u"per_consumer"_s, perConsumer},
                                 {u"failed_items"_s, static_cast<qint64>(m_sums.failedItems)},
                                 {u"lost_items"_s, static_cast<qint64>(m_sums.lostItems)},
                                 {u"max_depth"_s, m_queue ? m_queue->mostItems() : 0},
                                 {u"blocked_on_full_s"_s, full},
                                 {u"blocked_on_empty_s"_s, empty},
                                 {u"items_per_s"_s, perSecond(static_cast<double>(consumed))},
                                 {u"bottleneck"_s, bottleneck}};
    result.noticeIsGood = m_sums.failedItems + m_sums.lostItems == 0 && produced == consumed;
    if (!result.noticeIsGood)
        result.notice = {"pipeline.items_missing"_ba,
                         {{"put"_L1, static_cast<qint64>(produced)},
                          {"taken"_L1, static_cast<qint64>(consumed)},
                          {"failed"_L1, static_cast<qint64>(m_sums.failedItems)},
                          {"lost"_L1, static_cast<qint64>(m_sums.lostItems)}}};
    else if (bottleneck == u"consumers"_s)
        result.notice = {"pipeline.backpressure"_ba, {{"waited_s"_L1, full}}};
    else if (bottleneck == u"producers"_s)
        result.notice = {"pipeline.consumers_waited"_ba, {{"waited_s"_L1, empty}}};
    result.failedItems = m_sums.failedItems + m_sums.lostItems;
}

} // namespace

std::unique_ptr<ExperimentRunner> makePipelineRunner(RunnerContext context)
{
    return std::make_unique<PipelineRunner>(context);
}

} // namespace proclab
