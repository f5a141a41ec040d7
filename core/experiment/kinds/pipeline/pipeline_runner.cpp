// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_state.h"
#include "core/experiment/run/group_runner.h"
#include "core/experiment/run/rate_meter.h"
#include "core/experiment/run/task_input.h"
#include "core/experiment/spec/kind.h"
#include "core/runtime/ipc/bounded_queue.h"

#include <QJsonArray>
#include <QTimer>

#include <limits>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr quint64 itemMask = (quint64{1} << 40) - 1;
constexpr int glanceItems = 64;

/// Runs `pipeline` experiments: producers and consumers around one bounded queue in shared memory.
class PipelineRunner final : public GroupRunner
{
public:
    explicit PipelineRunner(RunnerContext context);

    Result<void> start() override;
    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    void accumulate(quint32 slot) override;
    void memberEnded(quint32 slot, const ChildExit &exit) override;

private:
    /// What processes that have ended have counted.
    struct Sums
    {
        QList<quint64> perProducer;
        QList<quint64> perConsumer;
        quint64 failedItems = 0; ///< Whose workload threw or ended its process.
        quint64 lostItems = 0;   ///< In the hands of a process that was ended from outside.
        quint64 maxDepth = 0;
        qint64 blockedOnFullNs = 0;
        qint64 blockedOnEmptyNs = 0;
        qint64 firstOperationNs = std::numeric_limits<qint64>::max();
        qint64 lastOperationNs = 0;
    };

    void setUpPart(TaskInput &input);
    void setUpWork(TaskInput &input, const QString &path, runtime::StageWork &work);
    void producerEnded(quint32 slot, const ChildExit &exit);
    void consumerEnded(quint32 slot, const ChildExit &exit);
    void countLostItem(quint32 slot, const ChildExit &exit, int process, quint64 index);
    void endProducer();
    void putEnds();
    [[nodiscard]] bool isProducer(quint32 slot) const { return slot < m_producers; }
    [[nodiscard]] quint32 parentSlot() const { return m_producers + m_consumers; }
    [[nodiscard]] quint64 itemCount() const;
    [[nodiscard]] runtime::BoundedQueue &queue() const
    {
        return *header().at<runtime::BoundedQueue>(m_queueOffset);
    }

    const quint32 m_producers;
    const quint32 m_consumers;
    const quint64 m_limit; ///< The queue's capacity as asked for; 0: unbounded.
    QList<QByteArray> m_texts;
    quint64 m_queueOffset = 0;
    runtime::Segment m_input;
    quint32 m_producersEnded = 0;
    quint32 m_endsPut = 0;
    QTimer m_endTimer; ///< Tries again to put an END into a full queue: the engine's thread does
                       ///< not wait.
    Sums m_sums;       ///< Guarded by m_mutex.
    RateMeter m_putRate;
    RateMeter m_getRate;
    RateMeter m_fullRate;
    RateMeter m_emptyRate;
};

PipelineRunner::PipelineRunner(RunnerContext context)
    : GroupRunner(context)
    , m_producers(static_cast<quint32>(context.spec.integer(u"pipeline.producers"_s)))
    , m_consumers(static_cast<quint32>(context.spec.integer(u"pipeline.consumers"_s)))
    , m_limit(static_cast<quint64>(context.spec.bigInteger(u"pipeline.capacity"_s)))
{
    for (const QJsonValue &text : context.spec.value(u"pipeline.items"_s).toArray())
        m_texts.append(text.toString().toUtf8());
    m_sums.perProducer.resize(m_producers);
    m_sums.perConsumer.resize(m_consumers);
    m_endTimer.setInterval(2ms);
    connect(&m_endTimer, &QTimer::timeout, this, &PipelineRunner::putEnds);
}

quint64 PipelineRunner::itemCount() const
{
    return m_texts.isEmpty() ? m_producers * static_cast<quint64>(m_context.spec.bigInteger(
                                                 u"pipeline.items_per_producer"_s))
                             : static_cast<quint64>(m_texts.size());
}

Result<void> PipelineRunner::start()
{
    using namespace runtime;
    quint64 itemBytes = static_cast<quint64>(m_context.spec.bigInteger(u"pipeline.item_bytes"_s));
    if (!m_texts.isEmpty()) {
        itemBytes = 0;
        for (const QByteArray &text : m_texts)
            itemBytes = std::max(itemBytes, static_cast<quint64>(text.size()));
    }
    const quint64 capacity = m_limit != 0 ? m_limit : itemCount() + m_consumers;
    const auto payload = static_cast<std::uint32_t>(itemBytes);
    const std::size_t partSize = (sizeof(PipelineHeader) + 63) / 64 * 64;
    if (const auto made = makeSegment("proclab-pipeline", parentSlot() + 1,
                                      partSize + BoundedQueue::bytes(capacity, payload));
        !made)
        return made.error();
    auto &part = header().part<PipelineHeader>();
    m_queueOffset = header().partOffset + partSize;
    part.queueOffset = m_queueOffset;
    part.itemBytes = payload;
    queue().setUp(capacity, payload);
    TaskInput input;
    setUpPart(input);
    auto segment = input.makeSegment();
    if (!segment)
        return segment.error();
    m_input = std::move(*segment);

    std::vector<Member> members;
    for (quint32 slot = 0; slot < parentSlot(); ++slot) {
        Member member;
        member.role =
            &kind().roles[isProducer(slot) ? PipelineRoles::Producer : PipelineRoles::Consumer];
        member.assignment.role = isProducer(slot) ? Role::Producer : Role::Consumer;
        member.assignment.ordinal = isProducer(slot) ? slot : slot - m_producers;
        members.push_back(member);
    }
    return startAll(std::move(members), m_context.spec.text(u"pipeline.start_method"_s),
                    m_input.fd());
}

void PipelineRunner::setUpPart(TaskInput &input)
{
    auto &part = header().part<runtime::PipelineHeader>();
    part.producers = m_producers;
    part.itemsPerProducer =
        static_cast<quint64>(m_context.spec.bigInteger(u"pipeline.items_per_producer"_s));
    if (!m_texts.isEmpty()) {
        part.textCount = static_cast<quint64>(m_texts.size());
        part.textsOffset = input.addTexts(m_texts);
        part.itemsPerProducer = (part.textCount + m_producers - 1) / m_producers;
    }
    setUpWork(input, u"produce"_s, part.produce);
    setUpWork(input, u"consume"_s, part.consume);
}

void PipelineRunner::setUpWork(TaskInput &input, const QString &path, runtime::StageWork &work)
{
    work.workload = workloadNumber(m_context.spec, path);
    if (work.workload != runtime::noTask)
        work.args = input.addArguments(m_context.spec, path);
}

// ---- ends

void PipelineRunner::accumulate(quint32 slot)
{
    const runtime::ProcessSlot &place = header().slot(slot);
    if (isProducer(slot))
        m_sums.perProducer[slot] += place.done();
    else
        m_sums.perConsumer[slot - m_producers] += place.done();
    m_sums.failedItems += place.failedItems.load();
    m_sums.maxDepth = std::max<quint64>(m_sums.maxDepth, place.maxDepth.load());
    m_sums.blockedOnFullNs += place.waitedNs.load();
    m_sums.blockedOnEmptyNs += place.waitedEmptyNs.load();
    if (const qint64 first = place.firstOperationNs.load(); first > 0)
        m_sums.firstOperationNs = std::min(m_sums.firstOperationNs, first);
    m_sums.lastOperationNs = std::max<qint64>(m_sums.lastOperationNs, place.lastOperationNs.load());
}

void PipelineRunner::memberEnded(quint32 slot, const ChildExit &exit)
{
    if (isProducer(slot))
        producerEnded(slot, exit);
    else
        consumerEnded(slot, exit);
}

void PipelineRunner::producerEnded(quint32 slot, const ChildExit &exit)
{
    runtime::ProcessSlot &place = header().slot(slot);
    if (place.phase.load(std::memory_order_acquire) == runtime::Phase::Leaving) {
        endProducer();
        return;
    }
    const auto found = queue().recover(slot);
    quint64 next = place.firstItem + place.done() + place.failedItems.load();
    if (place.hasItem()) {
        next = place.current.load();
        const bool isPublished = !found.wasWriting && place.putPosition.load() != 0;
        const bool isOwnDoing = exit.signal == 0 || place.ownSignal.load() == exit.signal;
        if (isPublished) {
            const std::lock_guard lock(m_mutex);
            ++m_sums.perProducer[slot];
            ++next;
        } else if (isOwnDoing) {
            countLostItem(slot, exit, members()[slot].process, next);
            ++next; // It would end the next producer as well.
        }
    }
    queue().consumersWaiting.wakeAll(header().parkOf());
    queue().producersWaiting.wakeAll(header().parkOf());
    const auto &part = header().part<runtime::PipelineHeader>();
    if (next < part.itemsPerProducer)
        replace(slot, next);
    else
        endProducer();
}

void PipelineRunner::consumerEnded(quint32 slot, const ChildExit &exit)
{
    runtime::ProcessSlot &place = header().slot(slot);
    if (place.phase.load(std::memory_order_acquire) == runtime::Phase::Leaving)
        return;
    const auto found = queue().recover(slot);
    const bool hadEnd = place.gotEnd.load() != 0 || (found.wasReading && found.item.isEnd);
    if (!hadEnd && (found.wasReading || place.hasItem()))
        countLostItem(slot, exit, members()[slot].process,
                      found.wasReading ? found.item.index : place.current.load() & itemMask);
    queue().producersWaiting.wakeAll(header().parkOf());
    queue().consumersWaiting.wakeAll(header().parkOf());
    if (!hadEnd)
        replace(slot, 0);
}

void PipelineRunner::countLostItem(quint32 slot, const ChildExit &exit, int process, quint64 index)
{
    const bool isOwnDoing = exit.signal == 0 || header().slot(slot).ownSignal.load() == exit.signal;
    {
        const std::lock_guard lock(m_mutex);
        ++(isOwnDoing ? m_sums.failedItems : m_sums.lostItems);
    }
    addEvent(RunEvent::Severity::Failure, process,
             {"pipeline.item_lost"_ba, {{"item"_L1, static_cast<qint64>(index)}}});
}

void PipelineRunner::endProducer()
{
    if (++m_producersEnded == m_producers)
        putEnds();
}

/// One END for each consumer, as far as there is room.
void PipelineRunner::putEnds()
{
    while (m_endsPut < m_consumers && !isStopped()) {
        const runtime::BoundedQueue::Slot place = queue().claim(parentSlot());
        if (!place) {
            m_endTimer.start();
            return;
        }
        runtime::QueueItem item;
        item.producer = parentSlot();
        item.isEnd = true;
        item.index = m_endsPut++;
        item.putNs = runtime::nowNs();
        queue().publish(place, item);
        queue().consumersWaiting.wake(1, header().parkOf());
    }
    m_endTimer.stop();
    addEvent(RunEvent::Severity::Info, 0,
             {"pipeline.ends_put"_ba, {{"ends"_L1, static_cast<int>(m_consumers)}}});
}

// ---- looking on

void PipelineRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    const std::lock_guard lock(m_mutex);
    GroupRunner::observe(snapshot, gauges);
    const qint64 now = runtime::nowNs();
    quint64 put = 0;
    quint64 got = 0;
    qint64 fullNs = m_sums.blockedOnFullNs;
    qint64 emptyNs = m_sums.blockedOnEmptyNs;
    for (const quint64 count : m_sums.perProducer)
        put += count;
    for (const quint64 count : m_sums.perConsumer)
        got += count;
    quint64 failed = m_sums.failedItems;
    for (quint32 slot = 0; slot < members().size(); ++slot) {
        const Member &member = members()[slot];
        if (!member.isAlive)
            continue;
        const runtime::ProcessSlot &place = header().slot(slot);
        (isProducer(slot) ? put : got) += place.done();
        failed += place.failedItems.load(std::memory_order_relaxed);
        const qint64 full = waitedNs(place, runtime::WaitKind::QueueFull, now);
        const qint64 empty = waitedNs(place, runtime::WaitKind::QueueEmpty, now);
        fullNs += full;
        emptyNs += empty;
        if (member.process < snapshot.processes.size()) {
            ProcessLive &live = snapshot.processes[member.process];
            if (live.currentIndex >= 0)
                live.currentIndex &= static_cast<qint64>(itemMask);
            if (snapshot.timeNs > 0)
                live.waitingShare =
                    static_cast<double>(full + empty) / static_cast<double>(snapshot.timeNs);
        }
    }
    snapshot.total = itemCount();
    snapshot.done = got;
    snapshot.failed = failed;
    snapshot.lost = m_sums.lostItems;
    snapshot.queued = queue().size();
    auto state = std::make_shared<PipelineState>();
    state->capacity = m_limit;
    queue().glance(glanceItems, [&](const runtime::QueueItem &item) {
        const bool isFromParent = item.producer >= members().size();
        state->items.append({static_cast<quint32>(item.index),
                             isFromParent ? -1 : members()[item.producer].process, item.isEnd,
                             std::max<qint64>(0, now - item.putNs)});
    });
    snapshot.kindState = std::move(state);
    m_putRate.add(gauges, PipelineGauges::PutRate, static_cast<double>(put));
    m_getRate.add(gauges, PipelineGauges::GetRate, static_cast<double>(got));
    gauges.values[PipelineGauges::QueueDepth] = static_cast<double>(snapshot.queued);
    m_fullRate.add(gauges, PipelineGauges::ProducersBlocked,
                   static_cast<double>(fullNs) / 1e7 / m_producers, 100);
    m_emptyRate.add(gauges, PipelineGauges::ConsumersWaiting,
                    static_cast<double>(emptyNs) / 1e7 / m_consumers, 100);
}

void PipelineRunner::complete(RunResult &result)
{
    GroupRunner::complete(result);
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
    const double spent =
        static_cast<double>(m_sums.lastOperationNs - m_sums.firstOperationNs) / 1e9;
    // Who makes the others wait sets the pace; within a twentieth of the time nobody does.
    const double fullShare = full / m_producers;
    const double emptyShare = empty / m_consumers;
    const double margin = std::max(0.0, spent) / 20;
    const QString bottleneck = fullShare > emptyShare + margin   ? u"consumers"_s
                               : emptyShare > fullShare + margin ? u"producers"_s
                                                                 : u"balanced"_s;
    result.outcome =
        QJsonObject{{u"produced"_s, static_cast<qint64>(produced)},
                    {u"consumed"_s, static_cast<qint64>(consumed)},
                    {u"per_producer"_s, perProducer},
                    {u"per_consumer"_s, perConsumer},
                    {u"failed_items"_s, static_cast<qint64>(m_sums.failedItems)},
                    {u"lost_items"_s, static_cast<qint64>(m_sums.lostItems)},
                    {u"max_depth"_s, static_cast<qint64>(m_sums.maxDepth)},
                    {u"blocked_on_full_s"_s, full},
                    {u"blocked_on_empty_s"_s, empty},
                    {u"items_per_s"_s, spent > 0 ? static_cast<double>(consumed) / spent : 0},
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
