// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QComboBox>
#include <QString>

namespace proclab {

/// A combo box with the theme's arrow and, where wanted, a caption inside ("Preset"). The wheel
/// changes it only while it has the focus, so that a form can be scrolled.
class ComboBox final : public QComboBox
{
    Q_OBJECT

public:
    explicit ComboBox(QWidget *parent = nullptr);

    /// Stands before the current text, in a paler tone.
    void setCaption(const QString &caption);
    /// Stands behind the current text, in the same tone; empty: nothing does.
    void setRemark(const QString &remark);
    [[nodiscard]] const QString &remark() const { return m_remark; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    void wheelEvent(QWheelEvent *event) override;

private:
    [[nodiscard]] int captionWidth() const;
    [[nodiscard]] int remarkWidth() const;

    QString m_caption;
    QString m_remark;
};

} // namespace proclab
