// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/own_settings.h"
#include "tests/support/window_run.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/experiment/form/spec_form.h"
#include "ui/experiment/run/run_dock.h"
#include "ui/experiment/run/run_view.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/nav_rail.h"
#include "ui/shell/pages.h"
#include "ui/shell/top_bar.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QScrollArea>
#include <QSettings>
#include <QSplitter>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include <algorithm>
#include <cstdlib>
#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

/// In the order of the Tab key.
enum class Pane { TopBar, Form, Stage, Charts, Dock, Rail };

Pane paneOf(const QWidget *widget)
{
    bool isInRunView = false;
    for (; widget; widget = widget->parentWidget()) {
        if (qobject_cast<const TopBar *>(widget))
            return Pane::TopBar;
        if (qobject_cast<const RunDock *>(widget))
            return Pane::Dock;
        if (qobject_cast<const ChartColumn *>(widget) &&
            !qobject_cast<const RunDock *>(widget->parentWidget()->parentWidget()))
            return Pane::Charts;
        if (qobject_cast<const NavRail *>(widget))
            return Pane::Rail;
        isInRunView = isInRunView || qobject_cast<const RunView *>(widget);
    }
    return isInRunView ? Pane::Stage : Pane::Form;
}

/// In the window, as if nothing were scrolled.
QPoint placeOf(const QWidget *widget)
{
    for (const QWidget *parent = widget; parent; parent = parent->parentWidget()) {
        const auto *area = qobject_cast<const QScrollArea *>(parent);
        if (area && area->widget() && area->widget()->isAncestorOf(widget))
            return area->mapTo(area->window(), QPoint()) + widget->mapTo(area->widget(), QPoint());
    }
    return widget->mapTo(widget->window(), QPoint());
}

/// Which of two columns side by side are in, first - second; 0: in no such, or the same.
int columnsApart(const QWidget *a, const QWidget *b)
{
    const QWidget *parent = a->parentWidget();
    while (parent && !parent->isAncestorOf(b))
        parent = parent->parentWidget();
    const auto *columns = qobject_cast<const QSplitter *>(parent);
    if (!columns || columns->orientation() != Qt::Horizontal)
        return 0;
    const auto columnOf = [columns](const QWidget *widget) {
        int column = 0;
        while (!columns->widget(column)->isAncestorOf(widget))
            ++column;
        return column;
    };
    return columnOf(a) - columnOf(b);
}

/// Column by column, there top to bottom, and from left to right in a row.
bool comesBefore(const QWidget *a, const QWidget *b)
{
    constexpr int mostInARow = 16; // Between the tops of controls of different heights.
    if (paneOf(a) != paneOf(b))
        return paneOf(a) < paneOf(b);
    if (const int apart = columnsApart(a, b); apart != 0)
        return apart < 0;
    const QPoint first = placeOf(a);
    const QPoint second = placeOf(b);
    if (std::abs(first.y() - second.y()) < mostInARow)
        return first.x() < second.x();
    return first.y() < second.y();
}

QString nameOf(const QWidget *widget)
{
    if (!widget)
        return u"nothing"_s;
    const auto *button = qobject_cast<const QAbstractButton *>(widget);
    const QString text =
        button && !button->text().isEmpty() ? button->text() : widget->accessibleName();
    const QPoint place = placeOf(widget);
    return u"%1 \"%2\" at %3, %4"_s
        .arg(QString::fromLatin1(widget->metaObject()->className()), text)
        .arg(place.x())
        .arg(place.y());
}

enum class Way { Forward, Back };

/// What has the focus, one after the other, until it comes round.
QList<QWidget *> visits(MainWindow &window, Way way)
{
    QList<QWidget *> visited;
    auto *first = window.findChild<TopBar *>()->findChild<QComboBox *>();
    first->setFocus(Qt::TabFocusReason);
    constexpr qsizetype most = 200;
    while (QWidget *focus = window.focusWidget()) {
        if (visited.contains(focus) || visited.size() == most)
            break;
        visited << focus;
        if (way == Way::Forward)
            QTest::keyClick(focus, Qt::Key_Tab);
        else
            QTest::keyClick(focus, Qt::Key_Backtab, Qt::ShiftModifier);
    }
    return visited;
}

/// Of buttons that exclude each other only the chosen one: arrows lead to the others.
QList<QWidget *> reachable(const MainWindow &window)
{
    QList<QWidget *> found;
    for (QWidget *widget : window.findChildren<QWidget *>()) {
        const bool takesTab = (widget->focusPolicy() & Qt::TabFocus) != 0;
        if (takesTab && widget->isVisible() && widget->isEnabled() && !widget->focusProxy() &&
            !widget->isWindow())
            found << widget;
    }
    return found;
}

QStringList faultsOf(MainWindow &window)
{
    QStringList faults;
    const QList<QWidget *> visited = visits(window, Way::Forward);
    for (const QWidget *widget : reachable(window)) {
        if (!visited.contains(widget))
            faults << u"never reached: "_s + nameOf(widget);
    }
    for (qsizetype i = 1; i < visited.size(); ++i) {
        if (!comesBefore(visited[i - 1], visited[i]))
            faults << u"%1 comes before %2"_s.arg(nameOf(visited[i - 1]), nameOf(visited[i]));
    }
    QList<QWidget *> back = visits(window, Way::Back);
    std::reverse(back.begin() + std::min<qsizetype>(1, back.size()), back.end());
    for (qsizetype i = 0; i < std::max(visited.size(), back.size()); ++i) {
        if (visited.value(i) == back.value(i))
            continue;
        faults << u"Shift+Tab: %1 instead of %2"_s.arg(nameOf(back.value(i)),
                                                       nameOf(visited.value(i)));
    }
    return faults;
}

} // namespace

/// The Tab key goes through each page as one reads it, and with Shift the same way back.
class tst_TabOrder : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { QSettings().clear(); }
    void tabGoesInReadingOrder_data();
    void tabGoesInReadingOrder();
    void orderSurvivesOtherPages();

private:
    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
};

void tst_TabOrder::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Light);
    m_engine = std::make_unique<Engine>();
}

void tst_TabOrder::tabGoesInReadingOrder_data()
{
    QTest::addColumn<QString>("page");
    QTest::addColumn<QSize>("size");
    for (const Kind &kind : kinds()) {
        if (!kind.isAvailable())
            continue;
        QTest::addRow("%s", qPrintable(kind.name)) << pageOf(kind) << QSize(1440, 900);
        // The charts are in the dock.
        QTest::addRow("%s, small", qPrintable(kind.name)) << pageOf(kind) << QSize(1024, 700);
    }
}

void tst_TabOrder::tabGoesInReadingOrder()
{
    QFETCH(const QString, page);
    QFETCH(const QSize, size);
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.resize(size);
    window.show();
    QVERIFY(window.showPage(page));
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QTRY_COMPARE(faultsOf(window).join(u'\n'), QString());
    // With all that a form and a run bring.
    for (auto *button : window.findChildren<QToolButton *>()) {
        if (button->property("role") == u"fold"_s && button->isVisible())
            button->setChecked(true);
    }
    window.runCurrent();
    QVERIFY(test::waitForEndOfRun(window));
    auto *tabs = window.findChild<RunDock *>()->findChild<QTabBar *>();
    for (int tab = 0; tab < tabs->count(); ++tab) {
        tabs->setCurrentIndex(tab);
        QTRY_COMPARE(faultsOf(window).join(u'\n'), QString()); // Layouts follow.
    }
}

void tst_TabOrder::orderSurvivesOtherPages()
{
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.resize(1440, 900);
    window.show();
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QVERIFY(window.showPage(pageOf(kind)));
    }
    QVERIFY(QTest::qWaitForWindowActive(&window));
    for (const Kind &kind : kinds()) {
        if (!kind.isAvailable())
            continue;
        QVERIFY(window.showPage(pageOf(kind)));
        QTRY_COMPARE(faultsOf(window).join(u'\n'), QString()); // Layouts follow.
    }
}

QTEST_MAIN(tst_TabOrder)
#include "tst_tab_order.moc"
