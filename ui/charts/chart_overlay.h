// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRect>
#include <QString>
#include <QWidget>

#include <optional>

namespace proclab {

/// What moves above a chart without the chart being drawn again: the cursor's line, the time at its
/// foot, the focus ring.
class ChartOverlay final : public QWidget
{
public:
    explicit ChartOverlay(QWidget *parent);

    /// A line at @p x through @p plot, with @p time below it unless that is empty; nullopt: none.
    void setCursorLine(std::optional<int> x, const QRect &plot = {}, const QString &time = {});

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    [[nodiscard]] QRect lineRect() const;
    [[nodiscard]] QRect chipRect() const;

    std::optional<int> m_x;
    QRect m_plot;
    QString m_time;
};

} // namespace proclab
