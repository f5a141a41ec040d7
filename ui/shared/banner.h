// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QString>

class QLabel;
class QPushButton;
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
    /// A button for what can be done about it; an empty text takes it away, as does another
    /// message.
    void setAction(const QString &text);
    [[nodiscard]] QString title() const;
    [[nodiscard]] QString detail() const;

Q_SIGNALS:
    void closed();
    void actionRequested();

protected:
    void changeEvent(QEvent *event) override;

private:
    void updateIcon();

    Tone m_tone = Tone::Info;
    QLabel *m_icon;
    QLabel *m_title;
    QLabel *m_detail;
    QPushButton *m_action;
    QToolButton *m_close;
};

} // namespace proclab
