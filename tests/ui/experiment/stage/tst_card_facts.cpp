// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/item_names.h"
#include "ui/experiment/stage/card_facts.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 millisecond = 1'000'000;

Span spanOf(qint64 fromMs, qint64 toMs, quint32 index, Span::Activity activity, quint32 count = 1,
            float busy = 1)
{
    return {fromMs * millisecond, toMs * millisecond, index, count, activity, busy};
}

} // namespace

class tst_CardFacts : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void lastWork_data();
    void lastWork();
    void factsOfAChild();
};

void tst_CardFacts::lastWork_data()
{
    using Activity = Span::Activity;
    QTest::addColumn<QList<Span>>("spans");
    QTest::addColumn<qint64>("atMs");
    QTest::addColumn<QString>("text");
    const QString none = u"\u2013"_s;
    const Span first = spanOf(0, 100, 3, Activity::Running);
    const Span second = spanOf(100, 350, 7, Activity::Sleeping);
    QTest::newRow("nothing yet") << QList<Span>{} << qint64{100} << none;
    QTest::newRow("the last") << QList{first, second} << qint64{400} << u"#7 250\u00A0ms"_s;
    QTest::newRow("a look back") << QList{first, second} << qint64{200} << u"#3 100\u00A0ms"_s;
    QTest::newRow("before the first ended") << QList{first} << qint64{50} << none;
    QTest::newRow("a wait is no work") << QList{first, spanOf(100, 900, 0, Activity::BlockedOnFull)}
                                       << qint64{1000} << u"#3 100\u00A0ms"_s;
    QTest::newRow("pieces of one item") << QList{first, spanOf(100, 250, 4, Activity::Sleeping),
                                                 spanOf(250, 600, 4, Activity::BlockedOnFull),
                                                 spanOf(600, 610, 4, Activity::Running)}
                                        << qint64{1000} << u"#4 160\u00A0ms"_s;
    QTest::newRow("a failure is") << QList{first, spanOf(100, 120, 9, Activity::Failed)}
                                  << qint64{1000} << u"#9 20\u00A0ms"_s;
    QTest::newRow("many short ones") << QList{spanOf(0, 100, 0, Activity::Busy, 1000, 0.5F)}
                                     << qint64{100} << u"50\u00A0\u00B5s each"_s;
}

void tst_CardFacts::lastWork()
{
    QFETCH(const QList<Span>, spans);
    QFETCH(const qint64, atMs);
    AppendLog<Span> log;
    for (const Span &span : spans)
        log.append(span);
    QTEST(lastWorkText(log, atMs * millisecond, ItemNames()), "text");
}

void tst_CardFacts::factsOfAChild()
{
    RunLog log;
    log.addProcess({});
    ProcessRecord record;
    record.cpuSeconds = 0.25;
    ProcessLive live;
    live.process = log.addProcess(record);
    live.readyShare = 0.3;
    log.lane(1).samples.append({100 * millisecond, 50, 0, 3 << 20, 1 << 20});
    log.lane(1).samples.append({200 * millisecond, 0, 0, 0, 0}); // Its end.
    const auto facts = processFacts(log, record, live, 300 * millisecond, ItemNames());
    QStringList texts;
    for (const CardContent::Fact &fact : facts)
        texts << fact.label % u' ' % fact.value;
    QCOMPARE(texts, (QStringList{u"CPU 250\u00A0ms"_s, u"Last \u2013"_s, u"Ready 30\u00A0%"_s,
                                 u"Private 2.0\u00A0MiB"_s}));
    QCOMPARE(facts[2].tone, CardContent::Fact::Tone::Warning);
    live.readyShare = 0.05;
    QCOMPARE(processFacts(log, record, live, 0, ItemNames())[2].tone,
             CardContent::Fact::Tone::Plain);
}

QTEST_MAIN(tst_CardFacts)
#include "tst_card_facts.moc"
