// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/item_names.h"
#include "ui/experiment/stage/accessible_items.h"
#include "ui/experiment/stage/stage_cards.h"
#include "ui/experiment/stage/stage_view.h"

#include <QElapsedTimer>
#include <QPixmap>
#include <QPolygonF>
#include <QTimer>

#include <deque>
#include <vector>

namespace proclab {

class ProcessActions;

/// What all stages share: they hold one picture of the run, keep sparklines, cache what stands
/// still, move tokens along links, and answer mouse, keys and screen readers. A kind's stage
/// arranges and paints.
class ProcessStage : public StageView, public AccessibleItems
{
    Q_OBJECT

public:
    explicit ProcessStage(QWidget *parent = nullptr);

    void setSpec(const ExperimentSpec &spec) override;
    void setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec) override;
    void setSnapshot(const StageSnapshotPointer &snapshot) override;
    void setSelectedProcess(int process) override;
    void setCanSignal(bool canSignal) override;

    int itemCount() const override { return static_cast<int>(m_places.size()); }
    QString itemName(int item) const override;
    QString itemValue(int item) const override;
    QRect itemRect(int item) const override { return m_places[item].rect.toAlignedRect(); }
    int currentItem() const override;

    QSize sizeHint() const override { return {656, 480}; }
    QSize minimumSizeHint() const override { return {320, 160}; }

protected:
    /// Where a process is drawn.
    struct Place
    {
        int process = 0;
        QRectF rect;
        CardStyle style = CardStyle::Full;
    };

    /// The processes that a run of the spec would have, the parent first.
    [[nodiscard]] virtual QList<ProcessRecord> idleProcesses() const = 0;
    /// One line on what a run of the spec will do.
    [[nodiscard]] virtual QString idleText() const = 0;
    /// What a card says of a process before a run.
    [[nodiscard]] virtual QString idleTaskText(const ProcessRecord &process) const = 0;
    /// Where everything is in @p area; calls addCards() and addPlace().
    virtual void arrange(const QRectF &area) = 0;
    /// What changes with the layout only: boxes, links at rest, titles. Cached.
    virtual void paintStill(QPainter &painter) = 0;
    /// What changes with each snapshot, below the cards and above the still parts.
    virtual void paintMoving(QPainter &painter) = 0;
    /// Fills the lines of a card that differ by kind.
    virtual void describe(const ProcessLive &live, CardContent &content) const = 0;
    /// Looks at two successive pictures and calls moveToken() for what moved in between.
    virtual void findMoves(const StageSnapshot &before, const StageSnapshot &now);
    /// One line on the state as a whole, for screen readers.
    [[nodiscard]] virtual QString summaryText() const = 0;
    /// The run's log got new entries.
    virtual void readLog() {}

    /// "main", as before a run.
    [[nodiscard]] static ProcessRecord idleParent();
    /// Number @p number of @p role, as before a run; the children of the parent have colours from
    /// 0.
    [[nodiscard]] static ProcessRecord idleProcess(const ProcessRole &role, int number,
                                                   int colorIndex);
    void setCardForm(const CardForm &form) { m_cardForm = form; }

    /// Places cards for @p processes into @p area, and says how large they became.
    CardStyle addCards(const QRectF &area, const QList<int> &processes);
    void addPlace(int process, const QRectF &rect, CardStyle style);
    void moveToken(const QPolygonF &path, const QString &text, int colorIndex);
    /// So many things move that single tokens would tell nothing.
    [[nodiscard]] bool isTooFastForTokens() const;

    [[nodiscard]] const ExperimentSpec &spec() const { return m_spec; }
    [[nodiscard]] const ItemNames &itemNames() const { return m_itemNames; }
    [[nodiscard]] const RunLog *log() const { return m_log.get(); }
    [[nodiscard]] const StageSnapshot *snapshot() const { return m_snapshot.get(); }
    /// Of the run, or those that a run would have.
    [[nodiscard]] const QList<ProcessRecord> &processes() const { return m_processes; }
    [[nodiscard]] const QList<Place> &places() const { return m_places; }
    [[nodiscard]] const ProcessLive *live(int process) const;
    [[nodiscard]] bool isIdle() const { return m_log == nullptr; }
    [[nodiscard]] bool isEnded() const;
    [[nodiscard]] int selectedProcess() const { return m_selected; }
    /// 1, or 0.4 while another process is selected.
    [[nodiscard]] double opacityOf(int process) const;
    /// Arranges anew and forgets what was cached.
    void layoutChanged();

    bool event(QEvent *event) override;
    void changeEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    static constexpr int idleLineHeight = 24;

    struct Token
    {
        QPolygonF path;
        QString text;
        int colorIndex = 0;
        qint64 startedMs = 0;
    };

    /// A card's picture stays until it would show something else.
    struct PaintedCard
    {
        CardContent content;
        QPixmap picture;
    };

    void rearrange();
    void refreshProcesses();
    void rememberRate(const StageSnapshot &snapshot);
    [[nodiscard]] double recentRate() const;
    const QPixmap &stillPicture();
    void paintCards(QPainter &painter, const QRectF &part);
    void updateTokens();
    [[nodiscard]] const QPixmap &cardPicture(const Place &place,
                                             std::vector<PaintedCard> &cards) const;
    [[nodiscard]] QString tipOf(int item) const;
    [[nodiscard]] CardContent cardContent(const Place &place) const;
    [[nodiscard]] CardContent squareContentOf(int process) const;
    void paintTokens(QPainter &painter);
    void select(int process);
    void updateActions();
    void placeActions(const QRectF &card);
    [[nodiscard]] ProcessState shownState(int process, const ProcessLive &live) const;
    [[nodiscard]] QString lastTaskText(int process) const;
    [[nodiscard]] CardContent contentOf(int process) const;
    [[nodiscard]] std::vector<float> lastCpuOf(int process) const;
    [[nodiscard]] int placeAt(const QPointF &position) const;

    ExperimentSpec m_spec;
    ItemNames m_itemNames; // Of the run that is shown.
    std::shared_ptr<const RunLog> m_log;
    StageSnapshotPointer m_snapshot;
    QList<ProcessRecord> m_processes;
    QList<Place> m_places;
    std::vector<std::vector<PaintedCard>> m_cards; // By place: the last ones, the newest first.
    CardForm m_cardForm;
    std::deque<std::pair<qint64, quint64>> m_progress; // Time and done, over the last second.
    QPixmap m_still;
    int m_selected = -1;
    bool m_canSignal = false;
    ProcessActions *m_actions = nullptr; ///< Made when it is first needed.
    QList<Token> m_tokens;
    QElapsedTimer m_clock;
    QTimer m_frame;
};

} // namespace proclab
