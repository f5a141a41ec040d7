// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_status.h"

#include <QWidget>

namespace proclab {

/// Elapsed time, "12 of 24 done, 1 lost", and a bar with a part for each outcome.
class RunProgress final : public QWidget
{
    Q_OBJECT

public:
    explicit RunProgress(QWidget *parent = nullptr);

    void setStatus(const RunStatus &status);
    /// "00:04.26"
    [[nodiscard]] QString elapsedText() const { return m_elapsed; }
    [[nodiscard]] QString countText() const { return m_count; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    [[nodiscard]] QString countFor(double room, const QFont &font) const;
    void paintBar(QPainter &painter, const QRectF &bar) const;

    RunStatus m_status;
    QString m_elapsed;
    QString m_count;
};

/// "00:04.26", "1:02:03.45"; rounded, as in all other texts of the same time
[[nodiscard]] QString elapsedClock(double seconds);

} // namespace proclab
