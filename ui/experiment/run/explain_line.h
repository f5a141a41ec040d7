// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractButton>

class QLabel;

namespace proclab {

/// Sentences that can be clicked, with a line below that says where they hold. As high as its words
/// need at its width. A click, Enter and Space are the same.
class ExplainLine final : public QAbstractButton
{
    Q_OBJECT

public:
    ExplainLine(const QString &sentences, const QString &where, bool isWarning,
                QWidget *parent = nullptr);

protected:
    void changeEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    void updateIcon();

    const bool m_isWarning;
    QLabel *m_icon;
};

} // namespace proclab
