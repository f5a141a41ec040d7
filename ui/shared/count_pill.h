// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

namespace proclab {

/// A count on a pill, beside the title that it belongs to, on a panel. Hidden at 0. As wide as its
/// number of digits asks for, so that what is laid out around it rarely moves.
class CountPill final : public QWidget
{
    Q_OBJECT

public:
    explicit CountPill(QWidget *parent = nullptr);

    /// @p isBad: in the colours of a failure. True if it has another width than before.
    bool setCount(int count, bool isBad = false);
    [[nodiscard]] int count() const { return m_count; }

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    int m_count = 0;
    bool m_isBad = false;
    QString m_text;
};

} // namespace proclab
