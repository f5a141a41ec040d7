// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/painted_texts.h"
#include "tests/support/sample_run.h"
#include "ui/experiment/stage/stage_cards.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/shared/theme.h"

#include <QAccessible>
#include <QApplication>
#include <QImage>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int process = 1;

/// A pool whose first worker is in task 11, and so far with it.
StageSnapshotPointer pictureOf(const SampleRun &run, int percent)
{
    auto picture = std::make_shared<StageSnapshot>(*run.snapshot);
    for (ProcessLive &live : picture->processes)
        live.progressPercent = -1;
    ProcessLive &live = picture->processes[process];
    live.state = ProcessState::Running;
    live.currentIndex = 11;
    live.currentSinceNs = picture->timeNs - 1'500'000'000;
    live.progressPercent = percent;
    return picture;
}

std::unique_ptr<StageView> stageOf(const SampleRun &run, int percent)
{
    std::unique_ptr<StageView> stage(makeStage(run.spec.kind(), nullptr));
    stage->resize(900, 560);
    stage->setRun(run.log, run.spec);
    stage->setSnapshot(pictureOf(run, percent));
    stage->show();
    return stage;
}

QAccessibleInterface *cardOf(StageView &stage)
{
    return QAccessible::queryAccessibleInterface(&stage)->child(process);
}

QRect rectOf(StageView &stage)
{
    const QRect rect = cardOf(stage)->rect();
    return {stage.mapFromGlobal(rect.topLeft()), rect.size()};
}

QStringList wordsOf(StageView &stage)
{
    return test::wordsOf(test::textsIn(test::paintedTexts(stage), rectOf(stage)));
}

/// How many pixels of @p card have the colour of a process.
int colored(const QImage &card)
{
    const QRgb color = Theme::current().process(0).rgb();
    int count = 0;
    for (int y = 0; y < card.height(); ++y) {
        for (int x = 0; x < card.width(); ++x)
            count += card.pixel(x, y) == color ? 1 : 0;
    }
    return count;
}

} // namespace

class tst_CardProgress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Dark); }
    void cardSaysHowFarItsTaskIs_data();
    void cardSaysHowFarItsTaskIs();
    void cardWithoutProgressSaysTheTimeAlone();
    void barGrowsInEveryForm_data();
    void barGrowsInEveryForm();
    void narrowCardHasTheBarAlone();
};

void tst_CardProgress::cardSaysHowFarItsTaskIs_data()
{
    QTest::addColumn<int>("percent");
    for (const int percent : {0, 63, 100})
        QTest::addRow("%d", percent) << percent;
}

void tst_CardProgress::cardSaysHowFarItsTaskIs()
{
    QFETCH(const int, percent);
    const SampleRun run = samplePool();
    const auto stage = stageOf(run, percent);
    const QStringList words = wordsOf(*stage);
    QVERIFY2(words.contains(u"%1\u00A0%"_s.arg(percent)), qPrintable(words.join(u'|')));
    QVERIFY2(words.contains(durationText(1.5)), qPrintable(words.join(u'|')));
    const QString value = cardOf(*stage)->text(QAccessible::Value);
    QVERIFY2(value.endsWith(u"done, %1\u00A0% of #11"_s.arg(percent)), qPrintable(value));
}

void tst_CardProgress::cardWithoutProgressSaysTheTimeAlone()
{
    const SampleRun run = samplePool();
    const auto stage = stageOf(run, -1);
    const QStringList words = wordsOf(*stage);
    QVERIFY2(words.contains(durationText(1.5)), qPrintable(words.join(u'|')));
    const QString value = cardOf(*stage)->text(QAccessible::Value);
    QVERIFY2(value.endsWith(u" done"_s), qPrintable(value));
}

void tst_CardProgress::barGrowsInEveryForm_data()
{
    QTest::addColumn<CardStyle>("style");
    QTest::addColumn<QSize>("size");
    QTest::addColumn<int>("facts");
    QTest::newRow("full") << CardStyle::Full << QSize(260, 84) << 0;
    QTest::newRow("facts in a column") << CardStyle::Full << QSize(160, 170) << 4;
    QTest::newRow("compact") << CardStyle::Compact << QSize(220, 52) << 0;
    QTest::newRow("row") << CardStyle::Row << QSize(220, 22) << 0;
}

void tst_CardProgress::barGrowsInEveryForm()
{
    QFETCH(const CardStyle, style);
    QFETCH(const QSize, size);
    QFETCH(const int, facts);
    CardContent content;
    content.process.name = u"worker-1"_s;
    content.process.colorIndex = 0;
    content.live = ProcessLive{.state = ProcessState::Running, .currentIndex = 11};
    content.task = u"#11"_s;
    for (int i = 0; i < facts; ++i)
        content.facts.append({u"CPU"_s, u"1 s"_s});
    int before = -1;
    for (const int percent : {-1, 10, 50, 100}) {
        content.live->progressPercent = percent;
        QImage card(size, QImage::Format_ARGB32_Premultiplied);
        card.fill(Theme::current().panel);
        QPainter painter(&card);
        paintProcessCard(painter, QRectF(QPointF(), size), style, content);
        painter.end();
        const int now = colored(card);
        QVERIFY2(now > before, qPrintable(u"%1 after %2"_s.arg(now).arg(before)));
        before = now;
    }
}

void tst_CardProgress::narrowCardHasTheBarAlone()
{
    const SampleRun run = samplePool();
    const auto stage = stageOf(run, 63);
    stage->resize(420, 560);
    const QStringList words = wordsOf(*stage);
    QVERIFY2(words.contains(durationText(1.5)), qPrintable(words.join(u'|')));
    QVERIFY2(!words.contains(u"63\u00A0%"_s), qPrintable(words.join(u'|')));
    QVERIFY(cardOf(*stage)->text(QAccessible::Value).endsWith(u"63\u00A0% of #11"_s));
}

QTEST_MAIN(tst_CardProgress)
#include "tst_card_progress.moc"
