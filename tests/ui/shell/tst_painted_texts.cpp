// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/process/engine.h"
#include "tests/support/own_settings.h"
#include "tests/support/painted_texts.h"
#include "tests/support/window_run.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/pages.h"

#include <QApplication>
#include <QHelpEvent>
#include <QPainter>
#include <QRegularExpression>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QToolTip>

#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;
using test::PaintedText;

namespace {

constexpr double tolerance = 1.5; // Pixels that nobody sees.

QString placeText(const QRectF &rect)
{
    return u"%1, %2, %3×%4"_s.arg(rect.left()).arg(rect.top()).arg(rect.width()).arg(rect.height());
}

/// What the widget's tip at @p position says.
QString tipAt(QWidget &widget, const QPoint &position)
{
    // A tip that is to go away stays for a moment.
    for (QWidget *top : QApplication::topLevelWidgets()) {
        if (top->inherits("QTipLabel"))
            delete top;
    }
    QHelpEvent help(QEvent::ToolTip, position, widget.mapToGlobal(position));
    QCoreApplication::sendEvent(&widget, &help);
    return QToolTip::text();
}

/// What is wrong with one text; empty: nothing.
QString faultOf(QWidget &widget, const PaintedText &text)
{
    const QString name = u"\"%1\" at %2"_s.arg(text.text, placeText(text.ink));
    if (!text.clip.adjusted(-tolerance, -tolerance, tolerance, tolerance).contains(text.ink))
        return name % u" leaves "_s % placeText(text.clip);
    if (!text.coveredBy.isNull())
        return name % u" is covered by "_s % placeText(text.coveredBy);
    if (const qsizetype cut = text.text.indexOf(u'…'); cut >= 0) {
        const QString tip = tipAt(widget, text.ink.center().toPoint());
        // The tip goes on where the text ends.
        const QRegularExpression whole(
            uR"(\b%1 ?\S)"_s.arg(QRegularExpression::escape(text.text.first(cut).trimmed())));
        if (!tip.contains(whole))
            return name % u" is cut, and its tip is \"%1\""_s.arg(tip);
    }
    return {};
}

QStringList faultsOf(QWidget &widget, const QList<PaintedText> &texts)
{
    QStringList faults;
    for (qsizetype i = 0; i < texts.size(); ++i) {
        if (const QString fault = faultOf(widget, texts[i]); !fault.isEmpty())
            faults << fault;
        for (qsizetype j = 0; j < i; ++j) {
            const QRectF common = texts[i].ink.intersected(texts[j].ink);
            if (common.width() > tolerance && common.height() > tolerance)
                faults << u"\"%1\" overlaps \"%2\" at %3"_s.arg(texts[i].text, texts[j].text,
                                                                placeText(common));
        }
    }
    return faults;
}

/// Paints texts that are wrong in one way each.
class BadPainter final : public QWidget
{
public:
    explicit BadPainter(const QString &fault) : m_fault(fault) { resize(200, 60); }

protected:
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        painter.setFont(textFont(TextSize::Small));
        painter.drawText(20, 30, u"Throughput"_s);
        if (m_fault == u"overlaps"_s)
            painter.drawText(40, 32, u"Memory"_s);
        if (m_fault == u"is covered"_s)
            painter.fillRect(0, 0, 40, 60, Qt::white);
        if (m_fault == u"leaves"_s)
            painter.drawText(180, 30, u"Memory"_s);
        if (m_fault == u"is cut"_s)
            painter.drawText(120, 30, u"Mem…"_s);
    }

private:
    const QString m_fault;
};

/// All widgets of our own: others paint no text, or by Qt's styles, which cut none.
QStringList faultsOf(MainWindow &window)
{
    QList<QWidget *> widgets = window.findChildren<QWidget *>();
    widgets.removeIf([](const QWidget *widget) {
        return !widget->isVisible() || widget->visibleRegion().isEmpty() ||
               !QByteArrayView(widget->metaObject()->className()).startsWith("proclab::");
    });
    QStringList faults;
    for (QWidget *widget : std::as_const(widgets)) {
        const QString name = QString::fromLatin1(widget->metaObject()->className());
        for (const QString &fault : faultsOf(*widget, test::paintedTexts(*widget)) +
                                        faultsOf(*widget, test::plotTexts(*widget)))
            faults << u"%1, %2×%3: "_s.arg(name).arg(widget->width()).arg(widget->height()) % fault;
    }
    return faults;
}

} // namespace

/// What is painted, not laid out, has its room too: on each page, in each size, before, during and
/// after a run.
class tst_PaintedTexts : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void faultsAreFound_data();
    void faultsAreFound();
    void everyTextHasItsRoom_data();
    void everyTextHasItsRoom();

private:
    void lookAtEachSize(MainWindow &window, const QString &when);

    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
};

void tst_PaintedTexts::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Dark);
    // Tokens on their way go into the cards.
    qApp->setStyleSheet(qApp->styleSheet() %
                        u"proclab--ProcessStage { widget-animation-duration: 0 }"_s);
    m_engine = std::make_unique<Engine>();
}

void tst_PaintedTexts::faultsAreFound_data()
{
    QTest::addColumn<QString>("fault");
    for (const QString &fault : {u""_s, u"overlaps"_s, u"is covered"_s, u"leaves"_s, u"is cut"_s})
        QTest::newRow(fault.isEmpty() ? "none" : qPrintable(fault)) << fault;
}

void tst_PaintedTexts::faultsAreFound()
{
    QFETCH(const QString, fault);
    BadPainter widget(fault);
    const QStringList faults = faultsOf(widget, test::paintedTexts(widget));
    QCOMPARE(faults.size(), fault.isEmpty() ? 0 : 1);
    QVERIFY(faults.join(QString()).contains(fault));
}

void tst_PaintedTexts::everyTextHasItsRoom_data()
{
    QTest::addColumn<QString>("page");
    QTest::addColumn<QString>("preset");
    for (const PageInfo &info : pages()) {
        QTest::newRow(qPrintable(info.name)) << info.name << QString();
        const Kind *kind = findKind(info.name);
        // The first one is that of the page.
        for (qsizetype i = 1; kind && kind->isAvailable() && i < kind->presets.size(); ++i)
            QTest::newRow(qPrintable(kind->presets[i].name)) << info.name << kind->presets[i].name;
    }
}

void tst_PaintedTexts::everyTextHasItsRoom()
{
    QFETCH(const QString, page);
    QFETCH(const QString, preset);
    QSettings().clear();
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.setMinimumSize(1, 1);
    window.resize(1440, 900);
    window.show();
    QVERIFY(window.showPage(page));
    if (!preset.isEmpty())
        QVERIFY(window.openPreset(*findPreset(preset)));
    lookAtEachSize(window, u"idle"_s);
    const auto *stage =
        window.currentExperiment() ? window.currentExperiment()->findChild<StageView *>() : nullptr;
    if (!stage)
        return;
    const QString idle = stage->accessibleDescription();
    window.runCurrent();
    QVERIFY(QTest::qWaitFor([&] { return stage->accessibleDescription() != idle; }, 60'000));
    lookAtEachSize(window, u"running"_s);
    if (!preset.isEmpty())
        window.currentExperiment()->stop();
    QVERIFY(test::waitForEndOfRun(window));
    lookAtEachSize(window, u"ended"_s);
}

void tst_PaintedTexts::lookAtEachSize(MainWindow &window, const QString &when)
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
        QVERIFY2(fits, qPrintable(u"%1 px wide, %2: "_s.arg(size.width()).arg(when) %
                                  faults.join(u'\n')));
    }
}

QTEST_MAIN(tst_PaintedTexts)
#include "tst_painted_texts.moc"
