// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/style_sheet.h"

#include "ui/shared/theme.h"

#include <QStyle>
#include <QVariant>
#include <QWidget>

#include <utility>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

// Names in @ are roles of the theme. Fonts are set in code: a stylesheet has no half pixels.
constexpr auto labels = R"(
QLabel[tone="text2"] { color: @text2; }
QLabel[tone="text3"] { color: @text3; }
QLabel[tone="ok"] { color: @ok; }
QLabel[tone="warn"] { color: @warn; }
QLabel[tone="crash"] { color: @crash; }
QLabel[tone="accent"] { color: @accent; }
QToolTip { background: @raised; color: @text; border: 1px solid @border-strong; padding: 6px; }
)"_L1;

constexpr auto panes = R"(
QMainWindow, QDialog, QMessageBox { background: @panel; }
QWidget[role="rail"], QWidget[role="statusline"] { background: @window; }
QWidget[role="rail"] { border-right: 1px solid @border; }
QWidget[role="statusline"] { border-top: 1px solid @border; }
QWidget[role="panel"] { background: @panel; }
QWidget[role="bar"] { background: @panel; border-bottom: 1px solid @border; }
QWidget[role="section"] { border-bottom: 1px solid @border; }
QFrame[role="rule"] { background: @border; border: none; }
QWidget[role="rail"] QScrollArea, QWidget[role="rail-list"] { background: @window; border: none; }
QScrollArea, QScrollArea > QWidget > QWidget[role="panel"] { background: @panel; border: none; }
QSplitter::handle { background: @border; }
QSplitter::handle:focus, QSplitter::handle:hover { background: @accent; }
QFrame[role="actions"] { background: @raised; border: 1px solid @border-strong; border-radius: 4px; }
QFrame[role="banner"] { border: none; border-left: 3px solid @text3; background: @raised; }
QFrame[role="banner"][state="ok"] { border-left-color: @ok; background: @ok-tint; }
QFrame[role="banner"][state="warning"] { border-left-color: @warn; background: @warn-tint; }
QFrame[role="banner"][state="error"] { border-left-color: @crash; background: @crash-tint; }
)"_L1;

constexpr auto buttons = R"(
QPushButton { background: @raised; color: @text; border: 1px solid @border-strong;
    border-radius: 6px; padding: 0 12px; min-height: 30px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @sunken; }
QPushButton:disabled { background: transparent; color: @disabled; border-color: @border; }
QPushButton:focus { border: 2px solid @accent; padding: 0 11px; min-height: 28px; }
QPushButton[role="primary"] { background: @accent-fill; color: @on-accent;
    border-color: @accent-fill; }
QPushButton[role="primary"]:hover { background: @accent-fill; }
QPushButton[role="primary"]:focus { border: 2px solid @text; }
QPushButton[role="primary"]:disabled { background: transparent; color: @disabled;
    border-color: @border; }
QPushButton[role="small"] { padding: 0 8px; min-height: 22px; }
QPushButton[role="small"]:focus { padding: 0 7px; min-height: 20px; }
QPushButton[role="small"]:checked { background: @hover; }
QToolButton { background: transparent; color: @text2; border: 1px solid transparent;
    border-radius: 6px; padding: 3px; }
QToolButton:hover { background: @hover; color: @text; }
QToolButton:disabled { color: @disabled; }
QToolButton:focus { border: 2px solid @accent; padding: 2px; }
QToolButton[role="fold"] { padding: 3px 3px 3px 0; }
QToolButton[role="fold"]:focus { padding: 2px 2px 2px 0; }
)"_L1;

constexpr auto fields = R"(
QLineEdit, QComboBox, QPlainTextEdit { background: @sunken; color: @text;
    border: 1px solid @field; border-radius: 4px; selection-background-color: @accent-fill;
    selection-color: @on-accent; }
QLineEdit { padding: 0 7px; min-height: 26px; }
QComboBox { padding: 0 24px 0 8px; min-height: 26px; }
QComboBox[role="preset"] { background: @raised; border-color: @border-strong;
    border-radius: 6px; min-height: 30px; padding-left: 12px; }
QPlainTextEdit { padding: 2px 4px; }
QLineEdit:focus { border: 2px solid @accent; padding: 0 6px; min-height: 24px; }
QComboBox:focus { border: 2px solid @accent; padding: 0 23px 0 7px; min-height: 24px; }
QComboBox[role="preset"]:focus { border: 2px solid @accent; padding-left: 11px; min-height: 28px; }
QPlainTextEdit:focus { border: 2px solid @accent; padding: 1px 3px; }
QLineEdit[state="edited"], QComboBox[state="edited"], QPlainTextEdit[state="edited"] {
    border-color: @accent; }
QLineEdit[state="warning"], QComboBox[state="warning"], QPlainTextEdit[state="warning"] {
    border-color: @warn; }
QLineEdit[state="error"], QComboBox[state="error"], QPlainTextEdit[state="error"] {
    border-color: @crash; }
QLineEdit:disabled, QComboBox:disabled, QPlainTextEdit:disabled { color: @disabled;
    border-color: @border; }
QLineEdit:read-only { background: @panel; color: @text2; border-color: @border; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: @raised; color: @text; border: 1px solid @border-strong;
    selection-background-color: @accent-tint; selection-color: @text; outline: none; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 8px; }
QCheckBox { spacing: 8px; color: @text; min-height: 24px; border: 2px solid transparent;
    border-radius: 4px; }
QCheckBox:focus { border-color: @accent; }
QCheckBox:disabled { color: @disabled; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid @field; border-radius: 4px;
    background: @sunken; }
QCheckBox::indicator:checked { background: @accent-fill; border-color: @accent-fill;
    image: url(:/icons/check-on-accent.svg); }
QCheckBox[state="edited"]::indicator { border-color: @accent; }
QCheckBox[state="error"]::indicator { border-color: @crash; }
)"_L1;

constexpr auto views = R"(
QTabBar { background: @panel; border: none; }
QTabBar::tab { background: transparent; color: @text2; border: none; padding: 0 8px;
    height: 33px; margin-right: 8px; border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; border-bottom-color: @accent; }
QTabBar:focus { outline: none; }
QTabBar::tab:selected:focus { border: 2px solid @accent; border-radius: 4px; padding: 0 6px; }
QTableView { background: @panel; color: @text; border: none; gridline-color: @grid;
    selection-background-color: @accent-tint; selection-color: @text; }
QTableView:focus { border: 2px solid @accent; }
QHeaderView { background: @panel; border: none; }
QHeaderView::section { background: @panel; color: @text2; border: none;
    border-bottom: 1px solid @border; padding: 0 8px; height: 28px; }
QTableCornerButton::section { background: @panel; border: none; }
QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: @border-strong; border-radius: 3px; margin: 2px; }
QScrollBar::handle:hover { background: @field; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QMenu { background: @raised; color: @text; border: 1px solid @border-strong; padding: 4px; }
QMenu::item { padding: 4px 24px 4px 12px; border-radius: 4px; }
QMenu::item:selected { background: @accent-tint; }
)"_L1;

} // namespace

QString styleSheet(const Theme &theme)
{
    // The longer name comes first where one is the beginning of another.
    const std::pair<QLatin1StringView, QColor> roles[] = {
        {"@accent-fill"_L1, theme.accentFill},
        {"@accent-tint"_L1, theme.accentTint},
        {"@on-accent"_L1, theme.onAccent},
        {"@accent"_L1, theme.accent},
        {"@border-strong"_L1, theme.borderStrong},
        {"@border"_L1, theme.border},
        {"@crash-tint"_L1, theme.crashTint},
        {"@crash"_L1, theme.crash},
        {"@warn-tint"_L1, theme.warnTint},
        {"@warn"_L1, theme.warn},
        {"@ok-tint"_L1, theme.okTint},
        {"@ok"_L1, theme.ok},
        {"@text2"_L1, theme.text2},
        {"@text3"_L1, theme.text3},
        {"@text"_L1, theme.text},
        {"@disabled"_L1, theme.disabled},
        {"@window"_L1, theme.window},
        {"@panel"_L1, theme.panel},
        {"@raised"_L1, theme.raised},
        {"@hover"_L1, theme.hover},
        {"@sunken"_L1, theme.sunken},
        {"@field"_L1, theme.field},
        {"@grid"_L1, theme.grid},
    };
    QString sheet = QString(labels) + panes + buttons + fields + views;
    for (const auto &[name, color] : roles)
        sheet.replace(name, color.name());
    return sheet;
}

void setStyleProperty(QWidget *widget, const char *name, const QString &value)
{
    if (widget->property(name).toString() == value)
        return;
    widget->setProperty(name, value);
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
    widget->update();
}

} // namespace proclab
