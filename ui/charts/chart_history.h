// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QVector>

#include <limits>
#include <optional>
#include <vector>

namespace proclab {

/// What a chart remembers of its series: one grid of equal steps in time for all of them. When time
/// outgrows the grid, neighbours merge and the step doubles, so memory and drawing stay bounded
/// however long a run is, and no peak is lost: each step keeps its smallest and largest value.
class ChartHistory
{
public:
    struct Points
    {
        QVector<double> x;
        QVector<double> y;
    };

    /// At most @p capacity steps, at least 2; the first step is @p firstStep seconds.
    explicit ChartHistory(int capacity = 512, double firstStep = 0.00001);

    /// Forgets everything, the series too.
    void clear();
    /// Adds a series without values and returns its position.
    int addSeries();
    [[nodiscard]] int seriesCount() const { return static_cast<int>(m_series.size()); }
    /// Forgets the values of @p series.
    void clear(int series);
    /// Takes in a value at @p x seconds; one before 0 is left out. Values of a series come in order
    /// of time.
    void append(int series, double x, double y);
    /// From @p x seconds on @p series counts 0 in what is stacked.
    void end(int series, double x) { m_ends[static_cast<std::size_t>(series)] = x; }

    [[nodiscard]] bool isEmpty() const { return m_used == 0; }
    /// Seconds a step.
    [[nodiscard]] double step() const { return m_step; }
    /// The values as they came; where several share a step, its smallest and largest, in their
    /// order. At most two points a step, or where @p width seconds are longer for each @p width.
    /// Where more than @p longestGap seconds (and more than two steps) lie between two values, the
    /// line ends with a NaN and begins again.
    [[nodiscard]] Points line(int series, double width = 0,
                              double longestGap = std::numeric_limits<double>::infinity()) const;
    /// Where any of the first @p count series has a value: the sum of the means of series 0 to k,
    /// for each k. Values are means since the one before, so between two the next one counts;
    /// beyond its last a series holds for @p hold seconds or until it ends, then counts 0. At most
    /// one point each @p width seconds.
    [[nodiscard]] std::vector<Points> stacked(int count, double hold, double width = 0) const;
    /// The last value of @p series, 0 if it has none.
    [[nodiscard]] double last(int series) const;
    /// The value of @p series at @p x seconds or just before; 0 if there is none.
    [[nodiscard]] double at(int series, double x) const;
    /// The same; nullopt before the first value, and more than @p hold seconds after the last.
    [[nodiscard]] std::optional<double> valueAt(int series, double x, double hold) const;

    /// Where each value is the mean since the one before: that over @p x; nullopt before the first
    /// and after the last.
    [[nodiscard]] std::optional<double> meanOver(int series, double x) const;

    /// The values of one step, for a table; nullopt where a series has none.
    struct Row
    {
        double x = 0; ///< Of the newest value.
        std::vector<std::optional<double>> means;
    };
    /// All steps with a value, in order of time.
    [[nodiscard]] std::vector<Row> rows() const;

private:
    struct Cell
    {
        int count = 0;
        double firstX = 0;
        double lastX = 0;
        double sum = 0;
        double minimum = 0;
        double maximum = 0;
        double last = 0;
        bool minimumFirst = true;

        [[nodiscard]] double mean() const { return sum / count; }
    };
    using Cells = std::vector<Cell>;

    void halve();
    [[nodiscard]] const Cell *cellAt(int series, double x) const;
    static void merge(Cell &into, const Cell &next);
    [[nodiscard]] int stepsIn(double width) const;
    static void appendTo(Points &points, const Cell &cell);
    [[nodiscard]] std::vector<int> filledSteps(int count) const;
    [[nodiscard]] double meanAt(int series, int at, int previous, int next, double hold) const;

    int m_capacity;
    double m_firstStep;
    double m_step;
    double m_newest = 0;
    int m_used = 0; // Steps up to the newest value of any series.
    std::vector<Cells> m_series;
    std::vector<double> m_ends; ///< Of each series, in seconds; infinite: it has not ended.
};

} // namespace proclab
