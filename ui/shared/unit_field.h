// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLineEdit>
#include <QString>

namespace proclab {

/// A line to type in with its unit inside, at the right. Up and Down ask for the next value.
class UnitField final : public QLineEdit
{
    Q_OBJECT

public:
    explicit UnitField(QWidget *parent = nullptr);

    void setUnit(const QString &unit);
    [[nodiscard]] QString unit() const { return m_unit; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    /// +1 or −1, ten times that with Page up and Page down.
    void stepRequested(int steps);

protected:
    void paintEvent(QPaintEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    QString m_unit;
};

} // namespace proclab
