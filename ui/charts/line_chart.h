// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_history.h"

#include <QColor>
#include <QList>
#include <QPolygonF>
#include <QTimer>
#include <QWidget>

#include <optional>

class QCPGraph;
class QCPItemStraightLine;
class QCPItemText;
class QCustomPlot;
class QPainter;

namespace proclab {

class ChartOverlay;

/// Numbers over time in the lab's style: title, unit and newest value above the plot, series in it.
///
/// Time is in seconds from 0. Values are kept in a bounded history; a redraw takes the same time
/// for a run of an hour as for one of a minute. Redraws at most ten times a second, and not while
/// hidden or without room. The pointer, or ← and → with the focus, moves the cursor; the context
/// menu and Ctrl+C copy the values as a table.
class LineChart final : public QWidget
{
    Q_OBJECT

public:
    enum class Style {
        Lines,   ///< For what is measured at an instant. Nothing is drawn over a gap of a second.
        Steps,   ///< For counts, which hold until the next. Gaps as in Lines.
        Means,   ///< For rates: each value is the mean since the one before.
        Stacked, ///< Means; the first `seriesCount()` values on top of each other.
        Bands,   ///< Means; series 0 to 4 are minimum, lower quartile, median, upper quartile,
                 ///< maximum; more are lines.
    };

    explicit LineChart(QWidget *parent = nullptr);

    void setTitle(const QString &title, const QString &unit);
    /// How the values are made: the tip of the line above the plot. Empty: there is none.
    void setHelp(const QString &text);
    [[nodiscard]] QString help() const { return m_help; }
    /// What stands at the right above the plot, at full length; empty: nothing.
    void setValueText(const QString &text);
    [[nodiscard]] QString valueText() const { return m_valueText; }

    void setStyle(Style style);
    /// Removes all series and values.
    void clear();
    /// Adds a series without values and returns its position. @p label stands at its line's end;
    /// may be empty. @p name is what tables and tips call it; empty: the same.
    int addSeries(const QString &label, const QColor &color, const QString &name = {});
    [[nodiscard]] int seriesCount() const { return m_history.seriesCount(); }
    /// Takes the label of @p series away where @p label is empty.
    void setSeriesLabel(int series, const QString &label);
    /// Forgets the values of @p series, which stays.
    void clearSeries(int series) { m_history.clear(series); }
    void setSeriesColor(int series, const QColor &color);
    /// Draws the others at 40 %; -1: all alike.
    void setEmphasis(int series);
    void append(int series, double seconds, double value);
    /// From @p seconds on @p series counts 0 in what is stacked.
    void end(int series, double seconds) { m_history.end(series, seconds); }
    /// The value of @p series at @p seconds; nullopt: there was none.
    [[nodiscard]] std::optional<double> valueAt(int series, double seconds) const
    {
        return showsMeans() ? m_history.meanOver(series, seconds)
                            : m_history.valueAt(series, seconds, holdSeconds);
    }
    [[nodiscard]] const ChartHistory &history() const { return m_history; }

    /// A dashed line at @p value with a label; nullopt: none.
    void setThreshold(std::optional<double> value, const QString &label = {});
    /// A dashed line at @p value, labelled "mean 2.8"; nullopt: none.
    void setMean(std::optional<double> value);
    [[nodiscard]] std::optional<double> mean() const { return m_mean; }
    /// Where the value axis ends, as last drawn.
    [[nodiscard]] double top() const { return m_top; }
    /// The value axis reaches at least up to @p top.
    void setMinimumTop(double top);
    /// No value can be above @p limit, such as 100 for a share: the axis ends there. 0: none.
    void setLimit(double limit);
    /// Shows 0 to @p seconds, the same for all charts of a column.
    void setTimeRange(double seconds);
    /// Where the "now" line stands; below 0: none.
    void setNow(double seconds);
    /// Dashed marks: where a process died.
    void setMarks(const QList<double> &seconds);
    void setTimeLabelsVisible(bool visible);
    /// A line at @p seconds, without a redraw of the chart; nullopt: none.
    void setCursor(std::optional<double> seconds);
    [[nodiscard]] std::optional<double> cursor() const { return m_cursor; }

    /// All values as CSV: a row a step of time, a column a series, seconds first.
    [[nodiscard]] QString tableText() const;
    void copyTable() const;

    /// Draws what is new, now or within 100 ms.
    void refresh();
    /// Draws all of it at once, whether anything is new or not.
    void drawNow();
    /// What stands in a chart without values.
    void setEmptyText(const QString &text);
    /// What stands where the plot is free of values, or else in place of the unit; empty: nothing.
    void setNote(const QString &text);
    [[nodiscard]] QString note() const { return m_note; }
    [[nodiscard]] bool showsNoData() const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    /// The pointer or a key has put the cursor at @p seconds; nullopt: it has left.
    void cursorMoved(std::optional<double> seconds);

protected:
    void contextMenuEvent(QContextMenuEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    bool event(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void changeEvent(QEvent *event) override;
    void showEvent(QShowEvent *event) override;

private:
    static constexpr int bandSeries = 5;
    /// A value stands for that long where the next one is missing.
    static constexpr double holdSeconds = 0.3;
    /// With nothing measured for longer, nothing is drawn.
    static constexpr double longestGap = 1;

    [[nodiscard]] bool showsMeans() const
    {
        return m_style != Style::Lines && m_style != Style::Steps;
    }
    void createPlot();
    void applyTheme();
    void rebuildGraphs();
    void styleGraphs();
    void redraw();
    void updateAxes();
    void updateMarks();
    void fillGraphs();
    void fillBottoms();
    [[nodiscard]] QCPGraph *bottomGraph(int series);
    double paintValue(QPainter &painter, const QRectF &head) const;
    void placeLabels();
    void placeCursor();
    [[nodiscard]] double secondsAt(int x) const;
    void moveCursor(std::optional<double> seconds);
    void placeNote(const QList<QPolygonF> &lines, QList<QRectF> taken);
    [[nodiscard]] QList<QRectF> placeLineLabels(const QList<QPolygonF> &lines);
    [[nodiscard]] QList<QRectF> placeSeriesLabels(const QList<QPolygonF> &lines,
                                                  const QList<QRectF> &taken);
    [[nodiscard]] QList<QPolygonF> curvesInPixels() const;
    [[nodiscard]] QList<QPolygonF> levelsInPixels() const;
    [[nodiscard]] QRect plotRect() const; ///< Within its axes, in coordinates of this widget.
    [[nodiscard]] QString nameOf(int series) const;
    [[nodiscard]] QColor shownColor(int series, double opacity = 1) const;
    [[nodiscard]] double largestValue() const;
    [[nodiscard]] QString tipText(double seconds) const;

    struct Series
    {
        QString label;
        QString name;
        QColor color;
        QCPGraph *graph = nullptr;   // Owned by the plot.
        QCPGraph *bottom = nullptr;  // Owned by the plot; null but for a band on another.
        QCPItemText *text = nullptr; // Owned by the plot; null without a label.
    };

    ChartHistory m_history;
    QCustomPlot *m_plot;
    QList<Series> m_series;
    QCPItemText *m_emptyText = nullptr;
    QCPItemText *m_noteText = nullptr;
    QCPItemStraightLine *m_nowLine = nullptr;
    QCPItemStraightLine *m_thresholdLine = nullptr;
    QCPItemText *m_thresholdText = nullptr;
    QCPItemStraightLine *m_meanLine = nullptr;
    QCPItemText *m_meanText = nullptr;
    ChartOverlay *m_overlay;
    QList<QCPItemStraightLine *> m_markLines;
    QString m_title;
    QString m_unit;
    QString m_valueText;
    QString m_help;
    QString m_emptyLine;
    QString m_note;
    Style m_style = Style::Lines;
    std::optional<double> m_threshold;
    std::optional<double> m_mean;
    std::optional<double> m_cursor;
    QString m_thresholdLabel;
    QList<double> m_marks;
    double m_minimumTop = 0;
    double m_limit = 0;
    double m_range = 1;
    double m_now = -1;
    double m_top = 1; // Of the value axis, as last drawn.
    int m_emphasis = -1;
    bool m_timeLabels = true;
    bool m_noteInHead = false;
    bool m_dirty = false;
    QTimer m_pause; // Runs while the last redraw is less than 100 ms old.
};

} // namespace proclab
