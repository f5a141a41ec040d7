// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipe/pipe_kind.h"
#include "core/experiment/kinds/pipe/pipe_scene.h"
#include "core/experiment/kinds/pipe/pipe_state.h"
#include "core/experiment/run/rate_meter.h"
#include "core/experiment/run/scene_runner.h"
#include "core/experiment/spec/kind.h"

#include <atomic>
#include <optional>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// Runs `pipe` experiments: this process at one end of a pipe, a child at the other.
class PipeRunner final : public SceneRunner
{
public:
    explicit PipeRunner(RunnerContext context)
        : SceneRunner(context)
        , m_conversation{context.spec.value(u"pipe.duplex"_s).toBool(),
                         static_cast<quint64>(context.spec.bigInteger(u"pipe.messages"_s)),
                         static_cast<quint32>(context.spec.integer(u"pipe.message_bytes"_s))}
    {}

    ~PipeRunner() override { endDirecting(); }

    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    Result<std::vector<Member>> setUp() override;
    Result<Process> cast(const Member &member, const Cue &cue,
                         const ProcessOptions &options) override;
    void playParent(ActivityReport &report) override;
    void memberEnded(std::size_t index, const ProcessEnd &end) override;
    void accumulate(std::size_t index, const ActivityState &state) override;

private:
    /// Of both ends, as far as they are now.
    struct Figures
    {
        ActivityState parent;
        ActivityState child;
        quint64 sent = 0; ///< By the child.
        qint64 roundTripsNs = 0;

        [[nodiscard]] quint64 failed() const { return parent.failed + child.failed; }
        /// Answers that have come, right or wrong.
        [[nodiscard]] quint64 roundTrips() const { return child.done + child.failed; }
    };

    [[nodiscard]] Figures figures() const;
    const pipe::Conversation m_conversation;
    // Guarded by m_mutex until they are there.
    std::optional<Connection> m_end;
    std::optional<Connection> m_childsEnd; ///< Until the child has it for good.
    std::optional<Value<qint64>> m_roundTripsNs;
    ActivityState m_childAtEnd; ///< Guarded by m_mutex.
    RateMeter m_rate;
    RateMeter m_byteRate;
    RateMeter m_tripRate;
    RateMeter m_tripTimeRate;
    double m_lastTripUs = 0;
};

Result<std::vector<SceneRunner::Member>> PipeRunner::setUp()
{
    const auto pipe =
        Pipe::create(m_conversation.isDuplex ? Pipe::Direction::Duplex : Pipe::Direction::OneWay);
    if (!pipe)
        return pipe.error();
    const auto trips = Value<qint64>::create(0, Locking::None);
    if (!trips)
        return trips.error();
    if (auto part = makeParentsPart(); !part)
        return part.error();
    const std::lock_guard lock(m_mutex);
    m_end = pipe->first;
    m_childsEnd = pipe->second;
    m_roundTripsNs = *trips;
    std::vector<Member> all(1);
    all[0].role = &kind().roles[PipeRoles::Child];
    return all;
}

Result<Process> PipeRunner::cast(const Member &, const Cue &cue, const ProcessOptions &options)
{
    return Process::create(options,
                           pipe::Child{cue, *m_childsEnd, m_conversation, *m_roundTripsNs});
}

void PipeRunner::playParent(ActivityReport &report)
{
    // The child's own is the only one now: with it the end of the file comes.
    m_childsEnd.reset();
    pipe::receiveAll(*m_end, m_conversation, report, [this] { return isStopped(); });
    m_end->close(); // Whatever has ended it, the child does not wait for this end any more.
}

void PipeRunner::accumulate(std::size_t, const ActivityState &state)
{
    m_childAtEnd = state;
}

void PipeRunner::memberEnded(std::size_t index, const ProcessEnd &)
{
    const Member &child = members()[index];
    if (m_childAtEnd.phase != ActivityState::Phase::Done)
        addEvent(
            RunEvent::Severity::Failure, child.log,
            {"pipe.end_of_file"_ba, {{"received"_L1, static_cast<qint64>(figures().parent.done)}}});
}

PipeRunner::Figures PipeRunner::figures() const
{
    Figures now;
    now.parent = parentsPart() ? parentsPart()->state() : ActivityState();
    now.child = m_childAtEnd;
    if (!members().empty() && members()[0].isAlive)
        now.child = members()[0].activity->state();
    now.roundTripsNs = m_roundTripsNs ? std::atomic_ref(*m_roundTripsNs->storage()).load() : 0;
    now.sent = m_end ? m_end->arriving().sent : 0;
    return now;
}

void PipeRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    const std::lock_guard lock(m_mutex);
    SceneRunner::observe(snapshot, gauges);
    const Figures now = figures();
    auto shown = std::make_shared<PipeState>();
    if (m_end) {
        shown->toParent = static_cast<qint64>(m_end->arriving().waiting);
        shown->toChild = static_cast<qint64>(m_end->leaving().waiting);
    }
    shown->sent = static_cast<qint64>(now.sent);
    if (const auto trips = static_cast<qint64>(now.roundTrips()); m_conversation.isDuplex && trips)
        shown->meanRoundTripNs = now.roundTripsNs / trips;
    snapshot.total = m_conversation.messages;
    snapshot.done = now.parent.done;
    snapshot.failed = now.failed();
    snapshot.queued = static_cast<quint64>(shown->toParent);
    const auto received = static_cast<double>(now.parent.done);
    m_rate.add(gauges, PipeGauges::MessageRate, received);
    m_byteRate.add(gauges, PipeGauges::Bandwidth,
                   received * m_conversation.messageBytes / (1 << 20), received);
    const auto allTrips = static_cast<double>(now.roundTrips());
    const double trips = m_tripRate.add(gauges.timeNs, allTrips);
    const double tripUs =
        m_tripTimeRate.add(gauges.timeNs, static_cast<double>(now.roundTripsNs) / 1e3, allTrips);
    if (trips > 0) // Else it stays what it was last.
        m_lastTripUs = tripUs / trips;
    gauges.values[PipeGauges::RoundTrip] = m_lastTripUs;
    gauges.values[PipeGauges::OnTheWay] = static_cast<double>(shown->toParent + shown->toChild);
    snapshot.kindState = std::move(shown);
}

void PipeRunner::complete(RunResult &result)
{
    SceneRunner::complete(result);
    const Figures all = figures();
    const auto received = static_cast<qint64>(all.parent.done);
    const auto trips = static_cast<double>(all.roundTrips());
    const qint64 bytes = received * static_cast<qint64>(m_conversation.messageBytes);
    result.outcome = QJsonObject{
        {u"messages_sent"_s, static_cast<qint64>(all.sent)},
        {u"messages_received"_s, received},
        {u"bytes"_s, bytes},
        {u"messages_per_s"_s, perSecond(static_cast<double>(received))},
        {u"bytes_per_s"_s, perSecond(static_cast<double>(bytes))},
        {u"round_trip_s"_s, m_conversation.isDuplex && trips > 0
                                ? QJsonValue(static_cast<double>(all.roundTripsNs) / 1e9 / trips)
                                : QJsonValue()}};
    result.failedItems = all.failed();
    const auto messages = static_cast<qint64>(m_conversation.messages);
    result.noticeIsGood = received == messages && all.failed() == 0;
    result.notice = {result.noticeIsGood ? "pipe.all_received"_ba : "pipe.cut_short"_ba,
                     {{"received"_L1, received},
                      {"messages"_L1, messages},
                      {"round_trip_ns"_L1, result.outcome[u"round_trip_s"_s].toDouble() * 1e9}}};
}

} // namespace

std::unique_ptr<ExperimentRunner> makePipeRunner(RunnerContext context)
{
    return std::make_unique<PipeRunner>(context);
}

} // namespace proclab
