// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QImage>
#include <QPixmap>
#include <QTest>

using namespace proclab;
using namespace Qt::StringLiterals;

namespace {

constexpr QRectF line(60, 4, 300, 20);

struct Drawn
{
    double width = 0;
    int ink = 0;   ///< Pixels that are not the ground's.
    int right = 0; ///< The last of them, device pixels.
};

/// @p prepare does what comes before the text.
template<typename Prepare>
Drawn drawn(double ratio, const QRectF &rect, Qt::Alignment alignment, const QString &text,
            Prepare prepare)
{
    QPixmap picture(QSize(400, 30) * ratio);
    picture.setDevicePixelRatio(ratio);
    picture.fill(Qt::white);
    QPainter painter(&picture);
    prepare(painter);
    Drawn result;
    result.width = drawText(painter, rect, alignment, text, textFont(TextSize::Small), Qt::black);
    painter.end();
    const QImage image = picture.toImage();
    for (int y = 0; y < image.height(); ++y) {
        for (int x = qRound(line.left() * ratio) - 1; x < image.width(); ++x) {
            if (image.pixel(x, y) == qRgb(255, 255, 255))
                continue;
            ++result.ink;
            result.right = std::max(result.right, x);
        }
    }
    return result;
}

} // namespace

class tst_DrawText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Dark); }
    void whatWasPaintedBeforeDoesNotMatter_data();
    void whatWasPaintedBeforeDoesNotMatter();
    void longTextIsShortened();
    void textStandsWhereItIsAligned();
};

void tst_DrawText::whatWasPaintedBeforeDoesNotMatter_data()
{
    QTest::addColumn<double>("ratio");
    for (const double ratio : {1.0, 1.25, 1.5, 2.0, 3.0})
        QTest::addRow("%g", ratio) << ratio;
}

void tst_DrawText::whatWasPaintedBeforeDoesNotMatter()
{
    QFETCH(const double, ratio);
    const QString text = u"Waiting for 20 of 64"_s;
    const auto alone =
        drawn(ratio, line, Qt::AlignVCenter, text, [](QPainter &) { /* Nothing. */ });
    const auto behindAHatch =
        drawn(ratio, line, Qt::AlignVCenter, text, [ratio](QPainter &painter) {
            painter.setBrushOrigin(10, 4);
            painter.setPen(Qt::red);
            painter.setBrush(Theme::current().hatch(Theme::Hatch::ReadyToRun, Qt::yellow, ratio));
            painter.drawRoundedRect(QRectF(10.5, 8.5, 14, 9), 2, 2);
        });
    QVERIFY(alone.ink > 100);
    QCOMPARE(behindAHatch.ink, alone.ink);
    QCOMPARE(behindAHatch.width, textWidth(text, textFont(TextSize::Small)));
}

void tst_DrawText::longTextIsShortened()
{
    const QString text = u"a text that has by far too many words for 40 pixels"_s;
    const QRectF narrow(60, 4, 40, 20);
    const Drawn shortened =
        drawn(1, narrow, Qt::AlignVCenter, text, [](QPainter &) { /* Nothing. */ });
    QVERIFY(shortened.ink > 20);
    QVERIFY2(shortened.right <= 101, qPrintable(QString::number(shortened.right)));
    QCOMPARE(shortened.width, 40.0);
}

void tst_DrawText::textStandsWhereItIsAligned()
{
    const QString text = u"100\u00A0%"_s;
    const auto nothing = [](QPainter &) {};
    const double width = textWidth(text, textFont(TextSize::Small));
    const Drawn left = drawn(1, line, Qt::AlignLeft | Qt::AlignVCenter, text, nothing);
    const Drawn middle = drawn(1, line, Qt::AlignCenter, text, nothing);
    const Drawn right = drawn(1, line, Qt::AlignRight | Qt::AlignVCenter, text, nothing);
    QVERIFY(std::abs(left.right - (line.left() + width)) <= 3);
    QVERIFY(std::abs(middle.right - (line.center().x() + width / 2)) <= 3);
    QVERIFY(std::abs(right.right - line.right()) <= 3);
}

QTEST_MAIN(tst_DrawText)
#include "tst_draw_text.moc"
