// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/experiment/spec/spec.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

void addAvailableKinds()
{
    QTest::addColumn<QString>("name");
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

} // namespace

class tst_Kinds : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesStandInTheOrderOfTheRail();
    void namesAreFound();
    void availableKindsAreComplete_data() { addAvailableKinds(); }
    void availableKindsAreComplete();
    void everyFieldExplainsItself_data() { addAvailableKinds(); }
    void everyFieldExplainsItself();
    void freshExperimentHasNoFault_data() { addAvailableKinds(); }
    void freshExperimentHasNoFault();
    void chartsShowWhatRunnersFill_data() { addAvailableKinds(); }
    void chartsShowWhatRunnersFill();
    void queueThatNeedsTooMuchMemoryIsRefused_data();
    void queueThatNeedsTooMuchMemoryIsRefused();
};

void tst_Kinds::namesStandInTheOrderOfTheRail()
{
    QStringList names;
    QStringList available;
    for (const Kind &kind : kinds()) {
        names.append(kind.name);
        if (kind.isAvailable())
            available.append(kind.name);
        QVERIFY(!kind.title.isEmpty());
        QVERIFY(!kind.subtitle.isEmpty());
    }
    QCOMPARE(names, (QStringList{u"process"_s, u"fork"_s, u"pool"_s, u"executor"_s, u"pipeline"_s,
                                 u"pipe"_s, u"counter"_s, u"program"_s, u"gil"_s, u"guard"_s,
                                 u"exceptions"_s, u"deadlock"_s, u"ways"_s}));
    QCOMPARE(available, (QStringList{u"pool"_s, u"pipeline"_s, u"counter"_s}));
}

void tst_Kinds::namesAreFound()
{
    for (const Kind &kind : kinds())
        QVERIFY(findKind(kind.name) == &kind);
    QVERIFY(!findKind(u"Pool"_s));
    QVERIFY(!findKind({}));
}

void tst_Kinds::availableKindsAreComplete()
{
    QFETCH(const QString, name);
    const Kind &kind = *findKind(name);
    QVERIFY(!kind.schema.isEmpty());
    QVERIFY(!kind.charts.isEmpty());
    QVERIFY(!kind.code.isEmpty());
    const auto preset = findPreset(kind.firstPreset);
    QVERIFY(preset);
    QCOMPARE(preset->spec.kind(), name);
}

void tst_Kinds::everyFieldExplainsItself()
{
    QFETCH(const QString, name);
    QStringList paths;
    for (const Field &field : findKind(name)->schema) {
        const QByteArray utf8 = field.path.toUtf8();
        const char *path = utf8.constData();
        QVERIFY2(!paths.contains(field.path), path);
        paths.append(field.path);
        QVERIFY2(!field.label.isEmpty(), path);
        QVERIFY2(!field.group.isEmpty(), path);
        QVERIFY2(field.help.endsWith(u'.'), path);
        const bool isNumber =
            field.type == Field::Type::Integer || field.type == Field::Type::Number;
        QVERIFY2(!isNumber || field.minimum < field.maximum, path);
        QVERIFY2(field.path.endsWith(u"_s"_s) == (field.unit == u"s"_s), path);
        QVERIFY2(field.path.endsWith(u"_ns"_s) == (field.unit == u"ns"_s), path);
        QVERIFY2(field.type != Field::Type::Choice ||
                     field.choices.contains(field.defaultValue.toString()),
                 path);
        if (!field.defaultValue.isNull())
            QVERIFY2(!checkValue(field, field.defaultValue), path);
    }
}

void tst_Kinds::freshExperimentHasNoFault()
{
    QFETCH(const QString, name);
    const QList<Error> faults = ExperimentSpec(name).check();
    QVERIFY2(faults.isEmpty(), faults.isEmpty() ? "" : qPrintable(errorText(faults.first())));
}

void tst_Kinds::chartsShowWhatRunnersFill()
{
    QFETCH(const QString, name);
    const ExperimentSpec spec(name);
    const Kind &kind = *findKind(name);
    QStringList names;
    for (const QString &gauge : kind.gauges) {
        QVERIFY(!gauge.isEmpty() && !names.contains(gauge));
        names.append(gauge);
    }
    for (const GaugeChart &chart : kind.charts) {
        QVERIFY(!chart.title.isEmpty());
        QVERIFY(!chart.unit.isEmpty());
        QVERIFY(!chart.series.isEmpty());
        for (const GaugeChart::Series &series : chart.series) {
            QVERIFY(series.gauge >= 0 && series.gauge < kind.gauges.size());
            QVERIFY(chart.series.size() == 1 || !series.name.isEmpty());
        }
        QVERIFY(chart.limitField.isEmpty() || spec.value(chart.limitField).isDouble());
    }
}

void tst_Kinds::queueThatNeedsTooMuchMemoryIsRefused_data()
{
    QTest::addColumn<int>("capacity");
    QTest::addColumn<int>("items");
    QTest::addColumn<int>("bytes");
    QTest::addColumn<bool>("isRefused");
    QTest::newRow("bounded, 4 GiB") << 4'000 << 10'000'000 << (1 << 20) << false;
    QTest::newRow("bounded, above 8 GiB") << 8'200 << 1 << (1 << 20) << true;
    QTest::newRow("most cells, small") << 1'000'000 << 10 << 64 << false;
    QTest::newRow("most cells, large") << 1'000'000 << 10 << (1 << 20) << true;
    QTest::newRow("unbounded, few") << 0 << 1'000 << 1024 << false;
    QTest::newRow("unbounded, many") << 0 << 10'000'000 << 1024 << true;
}

void tst_Kinds::queueThatNeedsTooMuchMemoryIsRefused()
{
    QFETCH(const int, capacity);
    QFETCH(const int, items);
    QFETCH(const int, bytes);
    QFETCH(const bool, isRefused);
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.capacity"_s, capacity);
    spec.set(u"pipeline.items_per_producer"_s, items);
    spec.set(u"pipeline.item_bytes"_s, bytes);
    const QList<Error> faults = spec.check();
    QCOMPARE(faults.size(), isRefused ? 1 : 0);
    if (!isRefused)
        return;
    const QString line = errorText(faults.first());
    QVERIFY2(line.startsWith(u"pipeline.capacity: "_s), qPrintable(line));
    QVERIFY2(line.contains(QString::number(bytes)) && line.contains(u"GiB"_s), qPrintable(line));
}

QTEST_GUILESS_MAIN(tst_Kinds)
#include "tst_kinds.moc"
