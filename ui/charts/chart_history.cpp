// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_history.h"

#include <algorithm>
#include <cmath>

namespace proclab {

ChartHistory::ChartHistory(int capacity, double firstStep)
    : m_capacity(std::max(2, capacity))
    , m_firstStep(firstStep)
    , m_step(firstStep)
{}

void ChartHistory::clear()
{
    m_series.clear();
    m_ends.clear();
    m_used = 0;
    m_newest = 0;
    m_step = m_firstStep;
}

void ChartHistory::clear(int series)
{
    Cells &cells = m_series[static_cast<std::size_t>(series)];
    std::fill(cells.begin(), cells.end(), Cell{});
    m_ends[static_cast<std::size_t>(series)] = std::numeric_limits<double>::infinity();
}

int ChartHistory::addSeries()
{
    m_series.emplace_back(static_cast<std::size_t>(m_capacity));
    m_ends.push_back(std::numeric_limits<double>::infinity());
    return seriesCount() - 1;
}

void ChartHistory::append(int series, double x, double y)
{
    if (x < 0)
        return;
    while (x >= m_step * m_capacity)
        halve();
    const int at = std::min(static_cast<int>(x / m_step), m_capacity - 1);
    merge(m_series[static_cast<std::size_t>(series)][static_cast<std::size_t>(at)],
          {1, x, x, y, y, y, y, true});
    m_used = std::max(m_used, at + 1);
    m_newest = std::max(m_newest, x);
}

void ChartHistory::merge(Cell &into, const Cell &next)
{
    if (next.count == 0)
        return;
    if (into.count == 0) {
        into = next;
        return;
    }
    const bool newMinimum = next.minimum < into.minimum;
    const bool newMaximum = next.maximum > into.maximum;
    if (newMinimum && newMaximum)
        into.minimumFirst = next.minimumFirst;
    else if (newMinimum)
        into.minimumFirst = false;
    else if (newMaximum)
        into.minimumFirst = true;
    into.minimum = std::min(into.minimum, next.minimum);
    into.maximum = std::max(into.maximum, next.maximum);
    into.count += next.count;
    into.sum += next.sum;
    into.last = next.last;
    into.lastX = next.lastX;
}

void ChartHistory::halve()
{
    for (Cells &cells : m_series) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            Cell merged;
            if (2 * i < cells.size())
                merged = cells[2 * i];
            if (2 * i + 1 < cells.size())
                merge(merged, cells[2 * i + 1]);
            cells[i] = merged;
        }
    }
    m_used = (m_used + 1) / 2;
    m_step *= 2;
}

int ChartHistory::stepsIn(double width) const
{
    return std::max(1, static_cast<int>(std::ceil(width / m_step - 1e-9)));
}

void ChartHistory::appendTo(Points &points, const Cell &cell)
{
    points.x.append(cell.firstX);
    if (cell.count == 1 || cell.minimum == cell.maximum) {
        points.y.append(cell.last);
        return;
    }
    points.x.append(cell.lastX);
    points.y.append(cell.minimumFirst ? cell.minimum : cell.maximum);
    points.y.append(cell.minimumFirst ? cell.maximum : cell.minimum);
}

ChartHistory::Points ChartHistory::line(int series, double width, double longestGap) const
{
    Points points;
    const Cells &cells = m_series[static_cast<std::size_t>(series)];
    const int steps = stepsIn(width);
    for (int i = 0; i < m_used; i += steps) {
        Cell cell;
        for (int k = i; k < std::min(i + steps, m_used); ++k)
            merge(cell, cells[static_cast<std::size_t>(k)]);
        if (cell.count == 0)
            continue;
        if (!points.x.isEmpty() &&
            cell.firstX - points.x.last() > std::max(longestGap, 2.5 * steps * m_step)) {
            points.x.append(points.x.last());
            points.y.append(std::numeric_limits<double>::quiet_NaN());
        }
        appendTo(points, cell);
    }
    return points;
}

double ChartHistory::meanAt(int series, int at, int previous, int next, double hold) const
{
    const Cells &cells = m_series[static_cast<std::size_t>(series)];
    const auto mean = [&cells](int i) { return cells[static_cast<std::size_t>(i)].mean(); };
    if (previous < 0)
        return 0;
    if (previous == at)
        return mean(at);
    if (next >= 0)
        return mean(next);
    const bool holds =
        (at - previous) * m_step <= hold && at * m_step < m_ends[static_cast<std::size_t>(series)];
    return holds ? cells[static_cast<std::size_t>(previous)].last : 0;
}

std::vector<int> ChartHistory::filledSteps(int count) const
{
    std::vector<int> filled;
    for (std::size_t i = 0; i < static_cast<std::size_t>(m_used); ++i) {
        const auto hasValue = [i](const Cells &cells) { return cells[i].count > 0; };
        if (std::any_of(m_series.begin(), m_series.begin() + count, hasValue))
            filled.push_back(static_cast<int>(i));
    }
    return filled;
}

std::vector<ChartHistory::Points> ChartHistory::stacked(int count, double hold, double width) const
{
    count = std::min(count, seriesCount());
    const int steps = stepsIn(width);
    if (steps > 1) {
        // The same, of longer steps.
        ChartHistory longer(m_capacity / steps + 1, m_step * steps);
        for (int series = 0; series < count; ++series) {
            longer.addSeries();
            longer.m_ends.back() = m_ends[static_cast<std::size_t>(series)];
            for (int i = 0; i < m_used; ++i)
                merge(longer.m_series.back()[static_cast<std::size_t>(i / steps)],
                      m_series[static_cast<std::size_t>(series)][static_cast<std::size_t>(i)]);
        }
        longer.m_used = (m_used + steps - 1) / steps;
        longer.m_newest = m_newest;
        return longer.stacked(count, hold);
    }
    const std::vector<int> filled = filledSteps(count);
    QVector<double> x;
    for (const int at : filled)
        x.append(std::min((at + 0.5) * m_step, m_newest));
    std::vector<Points> layers;
    QVector<double> sums(x.size(), 0.0);
    std::vector<int> next(filled.size(), -1); // The first step from here on that has a value.
    for (int series = 0; series < count; ++series) {
        const Cells &cells = m_series[static_cast<std::size_t>(series)];
        const auto hasValue = [&](std::size_t k) {
            return cells[static_cast<std::size_t>(filled[k])].count > 0;
        };
        for (std::size_t k = filled.size(); k-- > 0;)
            next[k] = hasValue(k) ? filled[k] : k + 1 < filled.size() ? next[k + 1] : -1;
        int previous = -1;
        for (std::size_t k = 0; k < filled.size(); ++k) {
            if (hasValue(k))
                previous = filled[k];
            sums[static_cast<qsizetype>(k)] += meanAt(series, filled[k], previous, next[k], hold);
        }
        layers.push_back({x, sums});
    }
    return layers;
}

double ChartHistory::last(int series) const
{
    return at(series, m_used * m_step);
}

double ChartHistory::at(int series, double x) const
{
    const Cell *cell = cellAt(series, x);
    return cell ? cell->last : 0;
}

std::optional<double> ChartHistory::valueAt(int series, double x, double hold) const
{
    const Cell *cell = cellAt(series, x);
    return cell && x - cell->lastX <= hold + m_step ? std::optional(cell->last) : std::nullopt;
}

std::optional<double> ChartHistory::meanOver(int series, double x) const
{
    const Cell *before = cellAt(series, x);
    if (!before || x < before->firstX)
        return std::nullopt;
    const Cells &cells = m_series[static_cast<std::size_t>(series)];
    for (auto at = static_cast<std::size_t>(before - cells.data());
         at < static_cast<std::size_t>(m_used); ++at) {
        if (cells[at].count > 0 && cells[at].lastX >= x)
            return cells[at].mean();
    }
    return std::nullopt;
}

const ChartHistory::Cell *ChartHistory::cellAt(int series, double x) const
{
    const Cells &cells = m_series[static_cast<std::size_t>(series)];
    const double step = std::clamp(x / m_step, -1.0, static_cast<double>(m_capacity));
    for (int i = std::min(static_cast<int>(std::floor(step)), m_used - 1); i >= 0; --i) {
        if (cells[static_cast<std::size_t>(i)].count > 0)
            return &cells[static_cast<std::size_t>(i)];
    }
    return nullptr;
}

std::vector<ChartHistory::Row> ChartHistory::rows() const
{
    std::vector<Row> rows;
    for (const int step : filledSteps(seriesCount())) {
        Row row;
        for (const Cells &cells : m_series) {
            const Cell &cell = cells[static_cast<std::size_t>(step)];
            row.means.push_back(cell.count > 0 ? std::optional(cell.mean()) : std::nullopt);
            row.x = std::max(row.x, cell.lastX);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace proclab
