// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"
#include "core/experiment/spec/item_names.h"
#include "core/experiment/spec/spec.h"
#include "core/experiment/spec/timeline_track.h"
#include "ui/experiment/stage/accessible_items.h"
#include "ui/experiment/timeline/moving_picture.h"
#include "ui/experiment/timeline/timeline_layout.h"

#include <QWidget>

#include <memory>
#include <optional>
#include <vector>

class QPainter;
class QScrollBar;

namespace proclab {

/// A lane for each process and a bar for each task or item, running ones open at the right.
/// Wheel zooms at the pointer, drag pans, double-click fits; + − 0 ← → Home End ↑ ↓ by keyboard.
/// Bars under 2 px merge into a busy-share profile per pixel column, so a million draw as fast as
/// ten.
class TimelineView final : public QWidget, public AccessibleItems
{
    Q_OBJECT

public:
    explicit TimelineView(QWidget *parent = nullptr);

    /// Which lanes there are beside those of the processes, from the kind of @p spec.
    void setSpec(const ExperimentSpec &spec);
    /// The run to show from now on; null: none.
    void setRun(std::shared_ptr<const RunLog> log);
    /// The newest instant: draws the running bars and, while following, moves with it.
    void setSnapshot(const StageSnapshotPointer &snapshot);
    void setSelectedProcess(int process);
    [[nodiscard]] bool isFollowing() const;
    void setFollowing(bool following);
    /// Marks @p timeNs; nullopt: none.
    void setCursor(std::optional<qint64> timeNs);
    void zoomIn();
    void zoomOut();
    /// The whole run, growing with it.
    void fit();
    /// Shows @p range, with a little of what is around it.
    void showRange(TimeRange range);

    /// What is in view.
    [[nodiscard]] TimeRange visibleRange() const;
    /// What the tooltip at @p position says; empty: nothing.
    [[nodiscard]] QString tipAt(const QPoint &position) const;

    int itemCount() const override;
    QString itemName(int lane) const override;
    QString itemValue(int lane) const override;
    QRect itemRect(int lane) const override;
    int currentItem() const override;

    QSize sizeHint() const override { return {900, 240}; }
    QSize minimumSizeHint() const override { return {320, 120}; }

Q_SIGNALS:
    void processSelected(int process);
    void followingChanged(bool following);
    /// The pointer over the bars is at @p timeNs; nullopt: it has left.
    void cursorMoved(std::optional<qint64> timeNs);

protected:
    bool event(QEvent *event) override;
    void changeEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void wheelEvent(QWheelEvent *event) override;

private:
    /// What the view shows as time goes on.
    enum class Mode {
        Auto,   ///< All of it up to ten seconds, then the last ten; all again at the end.
        Fit,    ///< All of it.
        Follow, ///< The last m_followNs.
        Free,   ///< m_freeRange, wherever now is.
    };

    static constexpr int gutterWidth = 148;
    /// In m_lanes: the lane of number @p track of m_tracks, and back.
    static constexpr int laneOfTrack(qsizetype track) { return -2 - static_cast<int>(track); }
    static constexpr qsizetype trackOfLane(int lane) { return -2 - lane; }

    void setMode(Mode mode);
    void moveCursor(std::optional<qint64> timeNs);
    void arrangeLanes();
    [[nodiscard]] bool isShown(const TimelineTrack &track) const;
    [[nodiscard]] bool lacksTrack() const;
    void setFreeRange(TimeRange range);
    void pan(double pixels);
    void zoomBy(double factor);
    void selectLane(int lane);
    void selectNext(int lane, int step);
    void updateScrollBar();
    void scrollToLane(int lane);
    void refreshProcesses();
    [[nodiscard]] bool isDense() const;
    [[nodiscard]] int laneHeight() const;
    [[nodiscard]] int laneAt(int y) const;
    [[nodiscard]] QRect lanesRect() const;
    [[nodiscard]] QRect barsRect() const;
    [[nodiscard]] qint64 nowNs() const;
    [[nodiscard]] bool isEnded() const;
    [[nodiscard]] const ProcessLive *live(int process) const;
    [[nodiscard]] std::optional<Span> openSpanOf(int process) const;
    [[nodiscard]] double busyShare(int process) const;
    [[nodiscard]] int busyPercent(int process) const;
    [[nodiscard]] double limitOf(const TimelineTrack &track) const;
    [[nodiscard]] double topOf(qsizetype track);
    [[nodiscard]] double countAt(const TimelineTrack &track, qint64 timeNs) const;
    [[nodiscard]] QString countText(const TimelineTrack &track, double count) const;
    [[nodiscard]] QString trackTip(const TimelineTrack &track, qint64 timeNs) const;

    /// The lanes that are in view, at least in part: the first, and the one after the last.
    [[nodiscard]] std::pair<int, int> lanesInView() const;
    void paintLanes(QPainter &painter, const QList<TimeTick> &ticks);
    void bringBarsUp(const QList<TimeTick> &ticks);
    [[nodiscard]] QList<PixelSpan> newPixels(int lane, const TimeRange &range, int kept) const;
    void paintHeader(QPainter &painter, const QList<TimeTick> &ticks);
    void paintBars(QPainter &painter, int lane, const PixelSpan &part,
                   const QList<TimeTick> &ticks);
    void bringHeadsUp();
    void paintLaneHead(QPainter &painter, int lane);
    void paintTrackHead(QPainter &painter, const QRect &row, qsizetype track);
    void paintTrackBars(QPainter &painter, const QRect &bars, qsizetype track);
    void paintHolders(QPainter &painter, const QRect &bars);
    void paintGutter(QPainter &painter, const QRect &row, int process);
    [[nodiscard]] bool isParentAtWork(qint64 fromNs, qint64 toNs) const;
    void paintStarts(QPainter &painter, const QRect &area);
    void paintSuccession(QPainter &painter);
    [[nodiscard]] QRectF chipAt(qint64 timeNs) const;
    void paintCursor(QPainter &painter);
    void paintNow(QPainter &painter);
    void drawLegend(QPainter &painter);
    void paintLegend(QPainter &painter, const QRect &legend);
    [[nodiscard]] QRect legendRect() const;
    [[nodiscard]] bool hasDropped() const;
    [[nodiscard]] QString legendTipAt(int x) const;

    ExperimentSpec m_spec;
    ItemNames m_itemNames;
    QList<TimelineTrack> m_tracks;
    std::shared_ptr<const RunLog> m_log;
    StageSnapshotPointer m_snapshot;
    QList<ProcessRecord> m_processes;
    QList<int> m_lanes;               // Positions in m_processes, or lanes of tracks; from the top.
    std::vector<SpanIndex> m_indexes; // By process; brought up to date when its lane is painted.
    QScrollBar *m_scrollBar;
    Mode m_mode = Mode::Auto;
    qint64 m_followNs = 0;
    TimeRange m_freeRange;
    int m_selected = -1;
    std::optional<qint64> m_cursorNs;
    struct Peak
    {
        double largest = 0; // Of so many samples.
        std::size_t samples = 0;
    };
    std::vector<Peak> m_peaks; // By track.
    /// What the bars' picture shows beside the time.
    struct BarsLook
    {
        QList<int> lanes;
        int scrolled = 0;
        int selected = -1;
        qint64 lifeTimes = 0; // Changes when a process begins or ends.
        bool operator==(const BarsLook &) const = default;
    };
    QPixmap m_legend;
    bool m_legendHasDropped = false;
    MovingPicture m_bars;
    BarsLook m_barsLook;
    /// By process: up to here its bars in the picture stay as they are.
    std::vector<qint64> m_finalUntilNs;
    QPixmap m_heads;                // What stands beside the bars.
    std::vector<int> m_headPercent; // By process: the busy share that its head shows.
    QPoint m_pressedAt;
    TimeRange m_pressedRange;
    bool m_pressed = false;
    bool m_panning = false;
};

} // namespace proclab
