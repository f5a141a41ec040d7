// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/shell/pages.h"

#include <QAbstractButton>
#include <QWidget>

#include <map>

class QHBoxLayout;
class QLabel;
class QToolButton;
class QVBoxLayout;

namespace proclab {

class MachineMeter;

/// A row of the rail: icon, title, a dot while the page's experiment runs.
class NavButton final : public QAbstractButton
{
    Q_OBJECT

public:
    explicit NavButton(const PageInfo &page, QWidget *parent = nullptr);

    void setCompact(bool compact);
    void setRunning(bool running);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    void enterEvent(QEnterEvent *event) override;
    void leaveEvent(QEvent *event) override;

private:
    QString m_iconName;
    QString m_title;
    QString m_subtitle;
    bool m_compact = false;
    bool m_running = false;
};

/// The pages by group, and how busy the machine is; collapses to a column of icons.
class NavRail final : public QWidget
{
    Q_OBJECT

public:
    static constexpr int fullWidth = 200;
    static constexpr int compactWidth = 48;

    explicit NavRail(const QList<PageInfo> &pages, QWidget *parent = nullptr);

    void setCompact(bool compact);
    [[nodiscard]] bool isCompact() const { return m_compact; }
    void setCurrentPage(const QString &name);
    void setRunning(const QString &page, bool running);

Q_SIGNALS:
    void pageRequested(const QString &name);
    /// The button at the top.
    void collapseRequested();

protected:
    void changeEvent(QEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    QWidget *makeHead();
    void addGroup(QVBoxLayout *rows, const QString &title);
    void updateLogo();

    bool m_compact = false;
    QHBoxLayout *m_headRow = nullptr;
    QLabel *m_logo = nullptr;
    QLabel *m_name = nullptr;
    QToolButton *m_collapse = nullptr;
    QList<QLabel *> m_groupHeads;
    std::map<QString, NavButton *> m_buttons;
    MachineMeter *m_machine = nullptr;
};

} // namespace proclab
