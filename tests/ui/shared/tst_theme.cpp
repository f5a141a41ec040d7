// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/theme.h"

#include <QApplication>
#include <QImage>
#include <QPainter>
#include <QTest>

#include <cmath>
#include <limits>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

double linear(double channel)
{
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

double luminance(const QColor &color)
{
    return 0.2126 * linear(static_cast<double>(color.redF())) +
           0.7152 * linear(static_cast<double>(color.greenF())) +
           0.0722 * linear(static_cast<double>(color.blueF()));
}

/// Contrast ratio of WCAG 2.1, 1 to 21.
double contrast(const QColor &one, const QColor &other)
{
    const double a = luminance(one);
    const double b = luminance(other);
    return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

} // namespace

class tst_Theme : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textIsReadable_data();
    void textIsReadable();
    void processesStandOut_data();
    void processesStandOut();
    void processColorsStartAgainAfterTwelve();
    void modesDifferAndReachThePalette();
    void hatchesHaveTwoColors_data();
    void hatchesHaveTwoColors();
    void numbersAreGrouped_data();
    void numbersAreGrouped();
    void durationsHaveTheirUnit_data();
    void durationsHaveTheirUnit();
    void shortNumbersAreShort_data();
    void shortNumbersAreShort();
    void bytesHaveBinaryUnits_data();
    void bytesHaveBinaryUnits();
};

void tst_Theme::textIsReadable_data()
{
    QTest::addColumn<Theme::Mode>("mode");
    QTest::addColumn<QColor>("text");
    QTest::addColumn<QColor>("ground");
    QTest::addColumn<double>("least");
    for (const auto mode : {Theme::Mode::Dark, Theme::Mode::Light}) {
        Theme::apply(*qApp, mode);
        const Theme &theme = Theme::current();
        const char *name = theme.dark ? "dark" : "light";
        struct Pair
        {
            const char *name;
            QColor text;
            QColor ground;
            double least;
        };
        const Pair pairs[] = {
            {"text on panel", theme.text, theme.panel, 7},
            {"text on accent tint", theme.text, theme.accentTint, 7},
            {"secondary text on panel", theme.text2, theme.panel, 7},
            {"secondary text on window", theme.text2, theme.window, 4.5},
            {"captions on panel", theme.text3, theme.panel, 4.5},
            {"captions on window", theme.text3, theme.window, 4.5},
            {"links on panel", theme.accent, theme.panel, 4.5},
            {"primary button", theme.onAccent, theme.accentFill, 4.5},
            {"ok on panel", theme.ok, theme.panel, 4.5},
            {"ok on its tint", theme.ok, theme.okTint, 4.5},
            {"warning on its tint", theme.warn, theme.warnTint, 4.5},
            {"full on its tint", theme.full, theme.fullTint, 4.5},
            {"crash on panel", theme.crash, theme.panel, 4.5},
            {"crash on its tint", theme.crash, theme.crashTint, 4.5},
            {"outline of a field", theme.field, theme.panel, 3},
            {"text on the parent's colour", theme.onProcess(-1), theme.process(-1), 4.5},
        };
        for (const Pair &pair : pairs)
            QTest::addRow("%s: %s", name, pair.name)
                << mode << pair.text << pair.ground << pair.least;
    }
}

void tst_Theme::textIsReadable()
{
    QFETCH(const QColor, text);
    QFETCH(const QColor, ground);
    QFETCH(const double, least);
    const double found = contrast(text, ground);
    QVERIFY2(found >= least, qPrintable(u"%1 : 1"_s.arg(found)));
}

void tst_Theme::processesStandOut_data()
{
    QTest::addColumn<Theme::Mode>("mode");
    QTest::newRow("dark") << Theme::Mode::Dark;
    QTest::newRow("light") << Theme::Mode::Light;
}

void tst_Theme::processesStandOut()
{
    QFETCH(const Theme::Mode, mode);
    Theme::apply(*qApp, mode);
    const Theme &theme = Theme::current();
    for (int index = 0; index < 12; ++index) {
        QVERIFY(contrast(theme.process(index), theme.panel) >= 3);
        QVERIFY(contrast(theme.process(index), theme.raised) >= 3);
        QVERIFY(contrast(theme.onProcess(index), theme.process(index)) >= 4.5);
        for (int other = 0; other < index; ++other)
            QVERIFY(theme.process(index) != theme.process(other));
    }
}

void tst_Theme::processColorsStartAgainAfterTwelve()
{
    const Theme &theme = Theme::current();
    QCOMPARE(theme.process(12), theme.process(0));
    QCOMPARE(theme.process(23), theme.process(11));
    QCOMPARE(theme.process(-1), theme.parent);
}

void tst_Theme::modesDifferAndReachThePalette()
{
    Theme::apply(*qApp, Theme::Mode::Dark);
    QVERIFY(Theme::current().dark);
    QCOMPARE(QApplication::palette().color(QPalette::Base), Theme::current().panel);
    const QColor darkPanel = Theme::current().panel;
    Theme::apply(*qApp, Theme::Mode::Light);
    QVERIFY(!Theme::current().dark);
    QCOMPARE(Theme::mode(), Theme::Mode::Light);
    QCOMPARE(QApplication::palette().color(QPalette::Base), Theme::current().panel);
    QVERIFY(darkPanel != Theme::current().panel);
    QVERIFY(!qApp->styleSheet().contains(u'@')); // Every role was filled in.
    QVERIFY(qApp->styleSheet().contains(Theme::current().accent.name()));
}

void tst_Theme::hatchesHaveTwoColors_data()
{
    QTest::addColumn<Theme::Hatch>("hatch");
    QTest::addColumn<double>("ratio");
    for (const double ratio : {1.0, 1.5, 2.0}) {
        QTest::addRow("ready to run at %g", ratio) << Theme::Hatch::ReadyToRun << ratio;
        QTest::addRow("waiting for a lock at %g", ratio) << Theme::Hatch::WaitingForLock << ratio;
        QTest::addRow("blocked at %g", ratio) << Theme::Hatch::BlockedOnFull << ratio;
        QTest::addRow("crashed at %g", ratio) << Theme::Hatch::Crashed << ratio;
    }
}

void tst_Theme::hatchesHaveTwoColors()
{
    QFETCH(const Theme::Hatch, hatch);
    QFETCH(const double, ratio);
    const Theme &theme = Theme::current();
    const QBrush brush = theme.hatch(hatch, theme.crash, ratio);
    const QImage tile = brush.texture().toImage();
    QVERIFY(!tile.isNull());
    double most = 0;
    double least = std::numeric_limits<double>::max();
    for (int y = 0; y < tile.height(); ++y) {
        for (int x = 0; x < tile.width(); ++x) {
            most = std::max(most, luminance(tile.pixelColor(x, y)));
            least = std::min(least, luminance(tile.pixelColor(x, y)));
        }
    }
    QVERIFY(most > least);
}

void tst_Theme::numbersAreGrouped_data()
{
    QTest::addColumn<qint64>("number");
    QTest::addColumn<QString>("text");
    QTest::newRow("nothing") << qint64(0) << u"0"_s;
    QTest::newRow("three digits") << qint64(999) << u"999"_s;
    QTest::newRow("four digits") << qint64(1284) << u"1\u202F284"_s;
    QTest::newRow("a million") << qint64(1000000) << u"1\u202F000\u202F000"_s;
    QTest::newRow("below zero") << qint64(-12345) << u"\u221212\u202F345"_s;
    QTest::newRow("smallest") << std::numeric_limits<qint64>::min()
                              << u"\u22129\u202F223\u202F372\u202F036\u202F854\u202F775\u202F808"_s;
}

void tst_Theme::numbersAreGrouped()
{
    QFETCH(const qint64, number);
    QFETCH(const QString, text);
    QCOMPARE(groupedNumber(number), text);
}

void tst_Theme::durationsHaveTheirUnit_data()
{
    QTest::addColumn<double>("seconds");
    QTest::addColumn<QString>("text");
    QTest::newRow("nothing") << 0.0 << u"0\u00A0s"_s;
    QTest::newRow("nanoseconds") << 52e-9 << u"52\u00A0ns"_s;
    QTest::newRow("microseconds") << 2.1e-6 << u"2.1\u00A0µs"_s;
    QTest::newRow("milliseconds") << 0.018 << u"18\u00A0ms"_s;
    QTest::newRow("just under a second") << 0.9996 << u"1.00\u00A0s"_s;
    QTest::newRow("seconds") << 1.57 << u"1.57\u00A0s"_s;
    QTest::newRow("many seconds") << 62.04 << u"62.0\u00A0s"_s;
    QTest::newRow("minutes") << 900.0 << u"15\u00A0min"_s;
    QTest::newRow("below zero") << -0.018 << u"\u221218\u00A0ms"_s;
}

void tst_Theme::durationsHaveTheirUnit()
{
    QFETCH(const double, seconds);
    QFETCH(const QString, text);
    QCOMPARE(durationText(seconds), text);
}

void tst_Theme::shortNumbersAreShort_data()
{
    QTest::addColumn<double>("number");
    QTest::addColumn<QString>("text");
    QTest::newRow("nothing") << 0.0 << u"0"_s;
    QTest::newRow("a tenth") << 12.42 << u"12.4"_s;
    QTest::newRow("hundreds") << 340.4 << u"340"_s;
    QTest::newRow("thousands") << 8658.0 << u"8\u202F658"_s;
    QTest::newRow("many thousands") << 340000.0 << u"340\u00A0k"_s;
    QTest::newRow("millions") << 1.2e6 << u"1.2\u00A0M"_s;
    QTest::newRow("rounds up to the next unit") << 999800.0 << u"1.0\u00A0M"_s;
}

void tst_Theme::shortNumbersAreShort()
{
    QFETCH(const double, number);
    QFETCH(const QString, text);
    QCOMPARE(shortNumber(number), text);
}

void tst_Theme::bytesHaveBinaryUnits_data()
{
    QTest::addColumn<quint64>("bytes");
    QTest::addColumn<QString>("text");
    QTest::newRow("nothing") << quint64(0) << u"0\u00A0B"_s;
    QTest::newRow("a page") << quint64(4096) << u"4.0\u00A0KiB"_s;
    QTest::newRow("a worker") << quint64(31) * 1024 * 1024 << u"31\u00A0MiB"_s;
    QTest::newRow("rounds up to the next unit") << quint64(1024) * 1024 - 1 << u"1.0\u00A0MiB"_s;
    QTest::newRow("most") << std::numeric_limits<quint64>::max() << u"16\u00A0EiB"_s;
}

void tst_Theme::bytesHaveBinaryUnits()
{
    QFETCH(const quint64, bytes);
    QFETCH(const QString, text);
    QCOMPARE(bytesText(bytes), text);
}

QTEST_MAIN(tst_Theme)
#include "tst_theme.moc"
