// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_layout.h"

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double narrowestBar = 2; // Pixels.
constexpr qint64 shortestRangeNs = 1'000;
constexpr double roomAtTheRight = 0.04;

double roundStep(double number)
{
    const double power = std::pow(10.0, std::floor(std::log10(number)));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (number <= step * power * (1 + 1e-9))
            return step * power;
    }
    return 10 * power;
}

/// Walks a lane's tree from the top and puts what it finds into bars and columns.
class LaneWalk
{
public:
    LaneWalk(const AppendLog<Span> &spans, const SpanIndex &index, const TimeRange &range,
             int width)
        : m_spans(spans)
        , m_index(index)
        , m_range(range)
        , m_width(width)
        , m_nsPerPixel(range.nsPerPixel(width))
        , m_columns(static_cast<std::size_t>(width))
    {}

    LaneLayout perform()
    {
        if (m_index.levelCount() > 0) {
            const std::size_t top = m_index.levelCount() - 1;
            for (std::size_t i = 0; i < m_index.level(top).size(); ++i)
                visit(top, i);
        }
        for (int x = 0; x < m_width; ++x) {
            TimelineColumn &column = m_columns[static_cast<std::size_t>(x)];
            if (!column.used)
                continue;
            column.x = x;
            for (double *share :
                 {&column.shares.work, &column.shares.readyToRun, &column.shares.sleeping,
                  &column.shares.blockedOnFull, &column.shares.waitingForLock,
                  &column.shares.dropped, &column.shares.single})
                *share = std::min(1.0, *share / m_nsPerPixel);
            m_layout.columns.push_back(column);
        }
        return std::move(m_layout);
    }

private:
    [[nodiscard]] bool isOutside(qint64 startNs, qint64 endNs) const
    {
        return endNs < m_range.fromNs || startNs > m_range.toNs;
    }

    void visit(std::size_t level, std::size_t at)
    {
        const SpanIndex::Node &node = m_index.level(level)[at];
        if (isOutside(node.startNs, node.endNs))
            return;
        const double left = m_range.pixel(node.startNs, m_width);
        const double right = m_range.pixel(node.endNs, m_width);
        if (right - left < 1) {
            spread(left, right, node.shares, node.count);
            return;
        }
        const std::size_t first = at * SpanIndex::fanOut;
        if (level > 0) {
            const std::size_t last =
                std::min(first + SpanIndex::fanOut, m_index.level(level - 1).size());
            for (std::size_t i = first; i < last; ++i)
                visit(level - 1, i);
            return;
        }
        const std::size_t last = std::min(first + SpanIndex::fanOut, m_index.spanCount());
        for (std::size_t i = first; i < last; ++i)
            visitSpan(i);
    }

    void visitSpan(std::size_t at)
    {
        const Span &span = m_spans[at];
        if (isOutside(span.startNs, span.endNs))
            return;
        const double left = m_range.pixel(span.startNs, m_width);
        const double right = m_range.pixel(span.endNs, m_width);
        if (right - left >= narrowestBar) {
            m_layout.bars.push_back({left, right, at});
            return;
        }
        const auto length = static_cast<double>(span.endNs - span.startNs);
        if (left >= 0 && right < m_width && static_cast<int>(left) == static_cast<int>(right)) {
            TimelineColumn &column = m_columns[static_cast<std::size_t>(left)];
            column.shares.add(span, length);
            column.used = true;
            column.count += span.count;
            return;
        }
        TimeShares shares;
        shares.add(span, length);
        spread(left, right, shares, span.count);
    }

    /// Gives each of the columns from @p left to @p right, three at most, its part.
    void spread(double left, double right, const TimeShares &shares, quint64 count)
    {
        if (right <= left) {
            addToColumn(left, shares, count);
            return;
        }
        const double end = std::min<double>(right, m_width);
        for (double x = std::max(0.0, std::floor(left)); x < end; ++x) {
            const double part = std::min(right, x + 1) - std::max(left, x);
            addToColumn(x, shares.scaled(part / (right - left)), x <= left ? count : 0);
        }
    }

    void addToColumn(double x, const TimeShares &shares, quint64 count)
    {
        const int at = std::clamp(static_cast<int>(std::floor(x)), 0, m_width - 1);
        TimelineColumn &column = m_columns[static_cast<std::size_t>(at)];
        column.shares.add(shares);
        column.used = true;
        column.count += count;
    }

    const AppendLog<Span> &m_spans;
    const SpanIndex &m_index;
    const TimeRange m_range;
    const int m_width;
    const double m_nsPerPixel;
    std::vector<TimelineColumn> m_columns;
    LaneLayout m_layout;
};

} // namespace

void TimeShares::add(const Span &span, double ns)
{
    switch (span.activity) {
    case Span::Activity::Running:
        work += ns;
        single += ns;
        break;
    case Span::Activity::Busy:
        work += ns * static_cast<double>(span.busy);
        break;
    case Span::Activity::Failed:
        work += ns * static_cast<double>(span.busy);
        sleeping += ns * (1 - static_cast<double>(span.busy));
        failed += ns;
        break;
    case Span::Activity::ReadyToRun:
        readyToRun += ns;
        break;
    case Span::Activity::Sleeping:
        sleeping += ns;
        break;
    case Span::Activity::BlockedOnFull:
        blockedOnFull += ns;
        break;
    case Span::Activity::WaitingForLock:
        waitingForLock += ns;
        break;
    case Span::Activity::Dropped:
        dropped += ns;
        break;
    case Span::Activity::WaitingOnEmpty:
        break;
    }
}

void TimeShares::add(const TimeShares &other)
{
    work += other.work;
    readyToRun += other.readyToRun;
    sleeping += other.sleeping;
    blockedOnFull += other.blockedOnFull;
    waitingForLock += other.waitingForLock;
    failed += other.failed;
    dropped += other.dropped;
    single += other.single;
}

TimeShares TimeShares::scaled(double factor) const
{
    return {work * factor,           readyToRun * factor, sleeping * factor, blockedOnFull * factor,
            waitingForLock * factor, failed * factor,     dropped * factor,  single * factor};
}

void SpanIndex::update(const AppendLog<Span> &spans)
{
    const std::size_t size = spans.size();
    for (; m_count < size; ++m_count) {
        const Span &span = spans[m_count];
        m_total.add(span, static_cast<double>(span.endNs - span.startNs));
        for (std::size_t level = 0; level < m_levels.size(); ++level)
            addToLevel(level, span, m_count);
        if (m_levels.empty()) {
            m_levels.emplace_back();
            addToLevel(0, span, m_count);
        } else if (m_levels.back().size() > fanOut) {
            // The tree grows at its top: a level above sums up the one that is full.
            std::vector<Node> above;
            for (std::size_t i = 0; i < m_levels.back().size(); ++i) {
                const Node &node = m_levels.back()[i];
                if (i % fanOut == 0) {
                    above.push_back(node);
                    continue;
                }
                Node &parent = above.back();
                parent.startNs = std::min(parent.startNs, node.startNs);
                parent.endNs = std::max(parent.endNs, node.endNs);
                parent.count += node.count;
                parent.shares.add(node.shares);
            }
            m_levels.push_back(std::move(above));
        }
    }
}

void SpanIndex::addToLevel(std::size_t level, const Span &span, std::size_t index)
{
    std::size_t at = index / fanOut;
    for (std::size_t i = 0; i < level; ++i)
        at /= fanOut;
    std::vector<Node> &nodes = m_levels[level];
    if (at == nodes.size())
        nodes.push_back({span.startNs, span.endNs, 0, {}});
    Node &node = nodes[at];
    node.startNs = std::min(node.startNs, span.startNs);
    node.endNs = std::max(node.endNs, span.endNs);
    node.count += span.count;
    node.shares.add(span, static_cast<double>(span.endNs - span.startNs));
}

LaneLayout layoutLane(const AppendLog<Span> &spans, const SpanIndex &index, const TimeRange &range,
                      int width)
{
    if (width <= 0 || range.length() <= 0)
        return {};
    return LaneWalk(spans, index, range, width).perform();
}

qint64 spanAt(const AppendLog<Span> &spans, std::size_t count, qint64 timeNs)
{
    std::size_t low = 0;
    std::size_t high = count;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (spans[middle].endNs < timeNs)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && spans[low].startNs <= timeNs ? static_cast<qint64>(low) : -1;
}

std::optional<Span> openSpan(const ProcessLive &live, const ProcessRecord &process,
                             qint64 lastEndNs, qint64 nowNs)
{
    Span span;
    switch (live.state) {
    case ProcessState::Running:
        span.activity = Span::Activity::Running;
        break;
    case ProcessState::ReadyToRun:
        span.activity = Span::Activity::ReadyToRun;
        break;
    case ProcessState::Stopped:
        if (live.currentIndex < 0)
            return std::nullopt;
        [[fallthrough]];
    case ProcessState::Sleeping:
        span.activity = Span::Activity::Sleeping;
        break;
    case ProcessState::WaitingForLock:
        span.activity = Span::Activity::WaitingForLock;
        break;
    case ProcessState::BlockedOnFull:
        span.activity = Span::Activity::BlockedOnFull;
        break;
    case ProcessState::WaitingOnEmpty:
        span.activity = Span::Activity::WaitingOnEmpty;
        break;
    default:
        return std::nullopt;
    }
    span.startNs = std::max({lastEndNs, process.startNs, live.currentSinceNs, qint64(0)});
    span.index = static_cast<quint32>(std::max<qint64>(live.currentIndex, 0));
    span.count = live.currentIndex >= 0 ? 1 : 0;
    span.endNs = nowNs;
    return span.endNs > span.startNs ? std::optional(span) : std::nullopt;
}

QList<TimeTick> timeTicks(const TimeRange &range, double width, double spacing)
{
    struct Unit
    {
        double ns;
        QStringView name;
    };
    static constexpr Unit units[] = {{1e9, u"s"}, {1e6, u"ms"}, {1e3, u"\u00B5s"}, {1, u"ns"}};
    if (width <= 0 || range.length() <= 0)
        return {};
    const double step = std::max(1.0, roundStep(range.nsPerPixel(width) * spacing));
    const Unit *unit = units;
    while (step < 0.0999 * unit->ns && unit->ns > 1)
        ++unit;
    const int decimals = step < 0.999 * unit->ns ? 1 : 0;
    QList<TimeTick> ticks;
    const auto first = static_cast<qint64>(std::ceil(static_cast<double>(range.fromNs) / step));
    for (qint64 i = first; static_cast<double>(i) * step <= static_cast<double>(range.toNs); ++i) {
        const double ns = static_cast<double>(i) * step;
        QString label = QString::number(ns / unit->ns, 'f', decimals) % u'\u00A0' % unit->name;
        label.replace(u'-', QChar(0x2212));
        ticks.append({std::llround(ns), label});
    }
    return ticks;
}

TimeRange zoomed(const TimeRange &range, double factor, qint64 aroundNs, qint64 longestNs)
{
    const auto oldLength = static_cast<double>(range.length());
    const double length = std::clamp(oldLength * factor, static_cast<double>(shortestRangeNs),
                                     static_cast<double>(std::max(longestNs, shortestRangeNs)));
    const double share = static_cast<double>(aroundNs - range.fromNs) / oldLength;
    TimeRange result;
    result.fromNs = aroundNs - std::llround(share * length);
    result.toNs = result.fromNs + std::llround(length);
    return result;
}

qint64 longestRangeNs(qint64 nowNs)
{
    return 4 * fittingRange(nowNs).length();
}

TimeRange followingRange(qint64 nowNs, qint64 lengthNs)
{
    const qint64 room = std::llround(static_cast<double>(lengthNs) * roomAtTheRight);
    const qint64 toNs = std::max(lengthNs, nowNs + room);
    return {toNs - lengthNs, toNs};
}

TimeRange onWholePixels(const TimeRange &range, double pixels)
{
    const double nsPerPixel = range.nsPerPixel(std::max(pixels, 1.0));
    const double first = std::floor(static_cast<double>(range.fromNs) / nsPerPixel);
    const qint64 fromNs = std::llround(first * nsPerPixel);
    return {fromNs, fromNs + range.length()};
}

TimeRange fittingRange(qint64 nowNs)
{
    if (nowNs <= 0)
        return {0, 5'000'000'000};
    const auto now = static_cast<double>(nowNs);
    const double step = roundStep(now / 8);
    return {0, std::llround(step * std::ceil(now * (1 + roomAtTheRight) / step))};
}

} // namespace proclab
