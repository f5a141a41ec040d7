// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QString>

class QLabel;
class QToolButton;

namespace proclab {

/// A message across the page: what happened and what it means. Stays until it is closed or
/// replaced.
class Banner final : public QFrame
{
    Q_OBJECT

public:
    enum class Tone { Info, Good, Warning, Error };

    explicit Banner(QWidget *parent = nullptr);

    /// Shows @p title and, in a second line, @p detail (may be empty).
    void showMessage(Tone tone, const QString &title, const QString &detail = {});
    [[nodiscard]] QString title() const;
    [[nodiscard]] QString detail() const;

Q_SIGNALS:
    void closed();

protected:
    void changeEvent(QEvent *event) override;

private:
    void updateIcon();

    Tone m_tone = Tone::Info;
    QLabel *m_icon;
    QLabel *m_title;
    QLabel *m_detail;
    QToolButton *m_close;
};

} // namespace proclab
