// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/own_settings.h"
#include "tests/support/window_run.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/nav_rail.h"
#include "ui/shell/pages.h"
#include "ui/shell/window_scale.h"

#include <QAbstractScrollArea>
#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include <algorithm>
#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

QString nameOf(const QWidget *widget)
{
    QString name = QString::fromLatin1(widget->metaObject()->className());
    if (const auto *label = qobject_cast<const QLabel *>(widget))
        name += u" \"%1\""_s.arg(label->text());
    if (const auto *button = qobject_cast<const QAbstractButton *>(widget))
        name += u" \"%1\""_s.arg(button->text());
    return name;
}

bool isInScrollArea(const QWidget *widget)
{
    for (const QWidget *parent = widget->parentWidget(); parent; parent = parent->parentWidget()) {
        if (qobject_cast<const QAbstractScrollArea *>(parent))
            return true;
    }
    return false;
}

/// Why a text does not have the room that it asks for; empty: it has.
QString cutText(const QWidget *widget)
{
    QSize needed;
    if (const auto *label = qobject_cast<const QLabel *>(widget)) {
        // What may be of any width says its whole text in its tip.
        const bool mayBeCut = label->sizePolicy().horizontalPolicy() == QSizePolicy::Ignored;
        if (label->text().isEmpty() || label->wordWrap() || mayBeCut)
            return {};
        needed = label->minimumSizeHint();
    } else if (qobject_cast<const QPushButton *>(widget) ||
               qobject_cast<const QToolButton *>(widget)) {
        needed = widget->minimumSizeHint();
    } else {
        return {};
    }
    if (needed.width() <= widget->width() && needed.height() <= widget->height() + 2)
        return {};
    return u"%1 needs %2×%3 and has %4×%5"_s.arg(nameOf(widget))
        .arg(needed.width())
        .arg(needed.height())
        .arg(widget->width())
        .arg(widget->height());
}

/// Widgets beside each other that cover each other, and those that leave their parent.
QStringList overlaps(const QWidget *parent)
{
    QStringList found;
    QList<QWidget *> shown;
    const auto children = parent->findChildren<QWidget *>(Qt::FindDirectChildrenOnly);
    for (QWidget *child : children) {
        if (child->isVisible() && !child->isWindow() && !child->size().isEmpty() &&
            !child->inherits("QSplitterHandle") &&
            !child->testAttribute(Qt::WA_TransparentForMouseEvents))
            shown << child;
    }
    for (qsizetype i = 0; i < shown.size(); ++i) {
        if (!isInScrollArea(shown[i]) && !parent->rect().contains(shown[i]->geometry()))
            found << u"%1 leaves %2"_s.arg(nameOf(shown[i]), nameOf(parent));
        for (qsizetype j = 0; j < i; ++j) {
            if (shown[i]->geometry().intersects(shown[j]->geometry()))
                found << u"%1 covers %2"_s.arg(nameOf(shown[i]), nameOf(shown[j]));
        }
    }
    return found;
}

QStringList faultsOf(const MainWindow &window)
{
    QStringList faults = overlaps(&window);
    for (const QWidget *widget : window.findChildren<QWidget *>()) {
        if (!widget->isVisible() || widget->visibleRegion().isEmpty())
            continue;
        if (const QString fault = cutText(widget); !fault.isEmpty())
            faults << fault;
        if (!qobject_cast<const QStackedWidget *>(widget))
            faults << overlaps(widget);
    }
    return faults;
}

} // namespace

/// On each page, in each size and before and after a run, every text has its room.
class tst_WindowFit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyTextHasItsRoom_data();
    void everyTextHasItsRoom();
    void allPagesAreInTheRail_data();
    void allPagesAreInTheRail();
    void keysScaleTheWindow();
    void scaleIsKept();
    void stepsOfTheScale();

private:
    void lookAtEachSize(MainWindow &window);

    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
};

void tst_WindowFit::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Dark);
    m_engine = std::make_unique<Engine>();
}

void tst_WindowFit::everyTextHasItsRoom_data()
{
    QTest::addColumn<QString>("page");
    for (const PageInfo &info : pages())
        QTest::newRow(qPrintable(info.name)) << info.name;
}

void tst_WindowFit::everyTextHasItsRoom()
{
    QFETCH(QString, page);
    QSettings().clear();
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.setMinimumSize(1, 1);
    window.resize(1440, 900);
    window.show();
    QVERIFY(window.showPage(page));
    lookAtEachSize(window);
    window.runCurrent();
    QVERIFY(test::waitForEndOfRun(window));
    lookAtEachSize(window);
}

void tst_WindowFit::allPagesAreInTheRail_data()
{
    QTest::addColumn<QSize>("size");
    // A screen of 1440 x 900 and one of 1024 x 700, at 100 and 200 %.
    for (const QSize &size : {QSize(1440, 900), QSize(720, 450), QSize(1024, 700), QSize(512, 350)})
        QTest::addRow("%d x %d", size.width(), size.height()) << size;
}

void tst_WindowFit::allPagesAreInTheRail()
{
    QFETCH(const QSize, size);
    QSettings().clear();
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.setMinimumSize(1, 1);
    window.resize(size);
    window.show();
    const auto buttons = window.findChildren<NavButton *>();
    QCOMPARE(buttons.size(), pages().size());
    QTRY_VERIFY(std::all_of(buttons.begin(), buttons.end(), [](const NavButton *button) {
        return button->visibleRegion().boundingRect().height() == button->height();
    }));
}

void tst_WindowFit::lookAtEachSize(MainWindow &window)
{
    for (const QSize &size : {QSize(960, 560), QSize(632, 320), QSize(1024, 700), QSize(1920, 1200),
                              QSize(1440, 900)}) {
        window.resize(size);
        QStringList faults;
        // What is hidden or made narrower for a size is laid out by events that follow.
        const bool fits = QTest::qWaitFor([&] {
            faults = faultsOf(window);
            return faults.isEmpty();
        });
        QVERIFY2(fits, qPrintable(u"%1 px wide: "_s.arg(size.width()) % faults.join(u'\n')));
    }
}

void tst_WindowFit::keysScaleTheWindow()
{
    QSettings().clear();
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.show();
    QVERIFY(window.showPage(u"pool"_s));
    QVERIFY(QTest::qWaitForWindowActive(&window));
    const qreal ratio = window.devicePixelRatioF();
    const QSize screen = window.screen()->availableSize();
    QTest::keyClick(&window, Qt::Key_Equal, Qt::ControlModifier);
    QTest::keyClick(&window, Qt::Key_Plus, Qt::ControlModifier);
    QCOMPARE(windowScale::percent(), 150);
    QCOMPARE(window.devicePixelRatioF(), 1.5 * ratio);
    QVERIFY(window.width() < screen.width() && window.height() < screen.height());
    QTest::keyClick(&window, Qt::Key_Minus, Qt::ControlModifier);
    QCOMPARE(windowScale::percent(), 125);
    QTest::keyClick(&window, Qt::Key_0, Qt::ControlModifier);
    QCOMPARE(windowScale::percent(), 100);
    QCOMPARE(window.devicePixelRatioF(), ratio);
}

void tst_WindowFit::scaleIsKept()
{
    QSettings().setValue(u"window/scale"_s, 200);
    {
        const MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
        QCOMPARE(windowScale::percent(), 200);
    }
    QCOMPARE(QSettings().value(u"window/scale"_s).toInt(), 200);
    QSettings().setValue(u"window/scale"_s, u"ten"_s); // As a hand may write it.
    const MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    QCOMPARE(windowScale::percent(), 100);
}

void tst_WindowFit::stepsOfTheScale()
{
    QCOMPARE(windowScale::larger(100), 125);
    QCOMPARE(windowScale::larger(120), 125);
    QCOMPARE(windowScale::larger(300), 300);
    QCOMPARE(windowScale::smaller(300), 250);
    QCOMPARE(windowScale::smaller(120), 100);
    QCOMPARE(windowScale::smaller(100), 100);
}

QTEST_MAIN(tst_WindowFit)
#include "tst_window_fit.moc"
