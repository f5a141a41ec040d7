// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/snapshot_history.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr std::size_t picturesPerBlock = 32; // Pictures that are packed together.
constexpr qint64 nsPerMicrosecond = 1'000;
constexpr int compressionLevel = 1; // Higher ones gain 5 % and take three times as long.

/// A picture as a list of numbers, most of which are those of the picture before.
using Numbers = std::vector<qint64>;

qint64 tenths(double percent)
{
    return std::llround(percent * 10);
}
double fromTenths(qint64 number)
{
    return static_cast<double>(number) / 10;
}

/// The figures of all kinds; of all processes the state, of all the index, and so on, since what is
/// alike is packed best side by side; then the kind's own part.
Numbers numbersOf(const StageSnapshot &snapshot)
{
    Numbers numbers{snapshot.timeNs,
                    static_cast<qint64>(snapshot.total),
                    static_cast<qint64>(snapshot.done),
                    static_cast<qint64>(snapshot.failed),
                    static_cast<qint64>(snapshot.cancelled),
                    static_cast<qint64>(snapshot.lost),
                    static_cast<qint64>(snapshot.queued),
                    snapshot.processes.size()};
    const auto addEach = [&](auto number) {
        for (const ProcessLive &live : snapshot.processes)
            numbers.push_back(number(live));
    };
    addEach([](const ProcessLive &live) { return static_cast<qint64>(live.state); });
    addEach([](const ProcessLive &live) { return live.currentIndex; });
    addEach([](const ProcessLive &live) { return live.currentSinceNs / nsPerMicrosecond; });
    addEach([](const ProcessLive &live) { return live.progressPercent; });
    addEach([](const ProcessLive &live) { return static_cast<qint64>(live.done); });
    addEach([](const ProcessLive &live) { return tenths(live.cpuPercent); });
    addEach([](const ProcessLive &live) { return tenths(live.waitingShare * 100); });
    addEach([](const ProcessLive &live) { return tenths(live.readyShare * 100); });
    if (snapshot.kindState) {
        const Numbers own = snapshot.kindState->packed(snapshot.timeNs);
        numbers.insert(numbers.end(), own.begin(), own.end());
    }
    return numbers;
}

/// @p anyState: of the run's kind; null: it has none.
StageSnapshot snapshotOf(const Numbers &numbers, const KindState *anyState)
{
    StageSnapshot snapshot;
    auto next = numbers.begin();
    snapshot.timeNs = *next++;
    for (quint64 *figure : {&snapshot.total, &snapshot.done, &snapshot.failed, &snapshot.cancelled,
                            &snapshot.lost, &snapshot.queued})
        *figure = static_cast<quint64>(*next++);
    snapshot.processes.resize(*next++);
    const auto readEach = [&](auto read) {
        for (ProcessLive &live : snapshot.processes)
            read(live, *next++);
    };
    for (int i = 0; i < snapshot.processes.size(); ++i)
        snapshot.processes[i].process = i;
    readEach([](ProcessLive &live, qint64 n) { live.state = static_cast<ProcessState>(n); });
    readEach([](ProcessLive &live, qint64 n) { live.currentIndex = n; });
    readEach([](ProcessLive &live, qint64 n) { live.currentSinceNs = n * nsPerMicrosecond; });
    readEach([](ProcessLive &live, qint64 n) { live.progressPercent = static_cast<int>(n); });
    readEach([](ProcessLive &live, qint64 n) { live.done = static_cast<quint64>(n); });
    readEach([](ProcessLive &live, qint64 n) { live.cpuPercent = fromTenths(n); });
    readEach([](ProcessLive &live, qint64 n) { live.waitingShare = fromTenths(n) / 100; });
    readEach([](ProcessLive &live, qint64 n) { live.readyShare = fromTenths(n) / 100; });
    if (anyState)
        snapshot.kindState = anyState->unpacked({next, numbers.end()}, snapshot.timeNs);
    return snapshot;
}

// Beyond the range they wrap around, and back again.
qint64 difference(qint64 a, qint64 b)
{
    return static_cast<qint64>(static_cast<quint64>(a) - static_cast<quint64>(b));
}
qint64 sum(qint64 a, qint64 b)
{
    return static_cast<qint64>(static_cast<quint64>(a) + static_cast<quint64>(b));
}

/// Seven bits a byte, the lowest first; small differences of either sign are short.
void appendVarint(QByteArray &bytes, qint64 difference)
{
    quint64 rest =
        (static_cast<quint64>(difference) << 1) ^ static_cast<quint64>(difference < 0 ? -1 : 0);
    for (; rest >= 0x80; rest >>= 7)
        bytes.append(static_cast<char>(rest | 0x80));
    bytes.append(static_cast<char>(rest));
}

qint64 takeVarint(const QByteArray &bytes, qsizetype &at)
{
    quint64 number = 0;
    for (int shift = 0; at < bytes.size() && shift < 64; shift += 7) {
        const auto byte = static_cast<quint8>(bytes[at++]);
        number |= static_cast<quint64>(byte & 0x7F) << shift;
        if (byte < 0x80)
            break;
    }
    return static_cast<qint64>(number >> 1) ^ -static_cast<qint64>(number & 1);
}

/// Each picture as the count of its numbers, then their differences from the picture before.
QByteArray packed(const std::vector<StageSnapshotPointer> &snapshots)
{
    QByteArray bytes;
    Numbers before;
    for (const StageSnapshotPointer &snapshot : snapshots) {
        Numbers numbers = numbersOf(*snapshot);
        appendVarint(bytes, static_cast<qint64>(numbers.size()));
        before.resize(numbers.size());
        for (std::size_t at = 0; at < numbers.size(); ++at)
            appendVarint(bytes, difference(numbers[at], before[at]));
        before = std::move(numbers);
    }
    return qCompress(bytes, compressionLevel);
}

std::vector<StageSnapshotPointer> unpacked(const QByteArray &block, const KindState *anyState)
{
    const QByteArray bytes = qUncompress(block);
    std::vector<StageSnapshotPointer> snapshots;
    Numbers numbers;
    for (qsizetype at = 0; at < bytes.size();) {
        numbers.resize(static_cast<std::size_t>(takeVarint(bytes, at)));
        for (qint64 &number : numbers)
            number = sum(number, takeVarint(bytes, at));
        snapshots.push_back(std::make_shared<StageSnapshot>(snapshotOf(numbers, anyState)));
    }
    return snapshots;
}

StageSnapshotPointer newestUntil(const std::vector<StageSnapshotPointer> &snapshots, qint64 timeNs)
{
    const auto after = std::upper_bound(
        snapshots.begin(), snapshots.end(), timeNs,
        [](qint64 ns, const StageSnapshotPointer &snapshot) { return ns < snapshot->timeNs; });
    return after == snapshots.begin() ? snapshots.front() : *(after - 1);
}

} // namespace

void SnapshotHistory::append(StageSnapshotPointer snapshot)
{
    Snapshots oldest;
    {
        const std::lock_guard lock(m_mutex);
        m_recent.push_back(std::move(snapshot));
        if (m_recent.size() < 2 * picturesPerBlock)
            return;
        oldest.assign(m_recent.begin(), m_recent.begin() + picturesPerBlock);
    }
    // Readers need not wait for this.
    Block block{oldest.front()->timeNs, packed(oldest)};
    const std::lock_guard lock(m_mutex);
    m_packedBytes += static_cast<std::size_t>(block.packed.size());
    m_blocks.push_back(std::move(block));
    m_recent.erase(m_recent.begin(), m_recent.begin() + picturesPerBlock);
}

std::size_t SnapshotHistory::size() const
{
    const std::lock_guard lock(m_mutex);
    return m_blocks.size() * picturesPerBlock + m_recent.size();
}

StageSnapshotPointer SnapshotHistory::newest() const
{
    const std::lock_guard lock(m_mutex);
    return m_recent.empty() ? nullptr : m_recent.back();
}

StageSnapshotPointer SnapshotHistory::at(qint64 timeNs) const
{
    Block block;
    std::shared_ptr<const KindState> anyState;
    std::size_t number = 0;
    {
        const std::lock_guard lock(m_mutex);
        if (m_recent.empty())
            return nullptr;
        if (m_blocks.empty() || timeNs >= m_recent.front()->timeNs)
            return newestUntil(m_recent, timeNs);
        const auto after =
            std::upper_bound(m_blocks.begin(), m_blocks.end(), timeNs,
                             [](qint64 ns, const Block &entry) { return ns < entry.fromNs; });
        number = static_cast<std::size_t>(after - m_blocks.begin());
        number = number > 0 ? number - 1 : 0;
        if (!m_unpacked.empty() && m_unpackedBlock == number)
            return newestUntil(m_unpacked, timeNs);
        block = m_blocks[number];
        anyState = m_recent.back()->kindState;
    }
    Snapshots snapshots = unpacked(block.packed, anyState.get());
    const std::lock_guard lock(m_mutex);
    m_unpackedBlock = number;
    m_unpacked = std::move(snapshots);
    return newestUntil(m_unpacked, timeNs);
}

std::size_t SnapshotHistory::packedBytes() const
{
    const std::lock_guard lock(m_mutex);
    return m_packedBytes;
}

} // namespace proclab
