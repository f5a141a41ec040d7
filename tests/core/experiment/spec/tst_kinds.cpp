// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/experiment/spec/spec.h"
#include "core/process/engine.h"
#include "tests/support/run_to_end.h"

#include <QTest>

#include <algorithm>

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
    void tracksShowWhatIsThere_data() { addAvailableKinds(); }
    void tracksShowWhatIsThere();
    void sumOverProcessesSaysSo_data();
    void sumOverProcessesSaysSo();
    void measuresReadAFinishedRun_data() { addAvailableKinds(); }
    void measuresReadAFinishedRun();
    void guestsHaveAHost();
    void queueThatNeedsTooMuchMemoryIsRefused_data();
    void queueThatNeedsTooMuchMemoryIsRefused();
};

void tst_Kinds::namesStandInTheOrderOfTheRail()
{
    QStringList names;
    for (const Kind &kind : kinds()) {
        names.append(kind.name);
        QVERIFY(!kind.title.isEmpty());
        QVERIFY(!kind.subtitle.isEmpty());
    }
    QCOMPARE(names, (QStringList{u"process"_s, u"fork"_s, u"pool"_s, u"executor"_s, u"pipeline"_s,
                                 u"pipe"_s, u"counter"_s, u"program"_s, u"gil"_s, u"guard"_s,
                                 u"exceptions"_s, u"deadlock"_s, u"ways"_s}));
    QCOMPARE(usualKind().name, u"pool"_s);
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
    QVERIFY(!kind.items.isEmpty());
    QVERIFY(kind.deathText);
    QCOMPARE(kind.explain != nullptr, kind.explanationText != nullptr);
    QVERIFY(!kind.presets.isEmpty());
    for (const PresetInfo &info : kind.presets) {
        const auto preset = findPreset(info.name);
        QVERIFY(preset);
        QCOMPARE(preset->spec.kind(), name);
        QCOMPARE(preset->title, info.title);
    }
    QVERIFY(!kind.roles.empty());
    QStringList roles;
    QStringList initials; // By which the short names of its processes differ.
    for (const ProcessRole &role : kind.roles) {
        QVERIFY(!role.name.isEmpty() && !roles.contains(role.name));
        roles.append(role.name);
        QVERIFY(!role.title.isEmpty() && !role.plural.isEmpty());
        QVERIFY(!initials.contains(role.name.first(1)));
        initials.append(role.name.first(1));
    }
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
        QVERIFY2(!field.derivedDefault || !field.defaultText.isEmpty(), path);
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

void tst_Kinds::tracksShowWhatIsThere()
{
    QFETCH(const QString, name);
    const Kind &kind = *findKind(name);
    const ExperimentSpec spec(name);
    for (const TimelineTrack &track : kind.tracks) {
        QVERIFY(!track.title.isEmpty());
        QVERIFY(track.aboveRole < static_cast<int>(kind.roles.size()));
        if (track.type != TimelineTrack::Type::Count)
            continue;
        QVERIFY(track.gauge >= 0 && track.gauge < kind.gauges.size());
        QVERIFY(!track.unit.isEmpty());
        QVERIFY(track.limitField.isEmpty() || spec.value(track.limitField).isDouble());
    }
}

/// Its processes have the roles of the row, its samples the gauges, its result every measure.
void tst_Kinds::measuresReadAFinishedRun()
{
    QFETCH(const QString, name);
    const Kind &kind = *findKind(name);
    Engine engine;
    ExperimentRun run(engine, ExperimentSpec(name));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QCOMPARE(result.exitStatus(), 0);
    const QList<ProcessRecord> processes = run.log()->processes();
    for (const ProcessRecord &process : processes.mid(1)) {
        const auto role =
            std::find_if(kind.roles.begin(), kind.roles.end(),
                         [&](const ProcessRole &row) { return &row == process.role; });
        QVERIFY(role != kind.roles.end());
        QVERIFY(process.name.startsWith(role->name));
    }
    QVERIFY(processes.first().isParent());
    for (std::size_t i = 0; i < run.log()->gauges.size(); ++i) {
        QCOMPARE(run.log()->gauges[i].values.size(), static_cast<std::size_t>(kind.gauges.size()));
        QCOMPARE(run.log()->gauges[i].totals.size(), static_cast<std::size_t>(kind.gauges.size()));
    }
    QVERIFY(run.snapshot()->kindState);
    QStringList keys;
    for (const Measure &measure : kind.measures) {
        const QByteArray key = measure.key.toUtf8();
        QVERIFY2(!key.isEmpty() && !keys.contains(measure.key), key.constData());
        keys.append(measure.key);
        QVERIFY2(!measure.title.isEmpty(), key.constData());
        QVERIFY2(measure.read && measure.of(result), key.constData());
        QVERIFY2(measure.sentence.isEmpty() || measure.sentence.contains(u"%1"_s), key.constData());
    }
    QVERIFY(keys.contains(u"elapsed_s"_s));
}

void tst_Kinds::guestsHaveAHost()
{
    QStringList guests;
    for (const Kind &kind : kinds()) {
        if (!kind.page.isEmpty())
            guests.append(kind.name % u" on " % kind.page);
    }
    QCOMPARE(guests, (QStringList{u"guard on process"_s, u"exceptions on process"_s,
                                  u"deadlock on counter"_s, u"ways on guide"_s}));
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

void tst_Kinds::sumOverProcessesSaysSo_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("key");
    QTest::newRow("put") << u"pipeline"_s << u"blocked_on_full_s"_s;
    QTest::newRow("get") << u"pipeline"_s << u"blocked_on_empty_s"_s;
    QTest::newRow("lock") << u"counter"_s << u"lock_wait_s"_s;
}

void tst_Kinds::sumOverProcessesSaysSo()
{
    QFETCH(const QString, kind);
    QFETCH(const QString, key);
    const QList<Measure> &measures = findKind(kind)->measures;
    const auto found = std::find_if(measures.begin(), measures.end(),
                                    [&key](const Measure &measure) { return measure.key == key; });
    QVERIFY(found != measures.end());
    QCOMPARE(found->unit, u"s"_s);
    QVERIFY(found->title.endsWith(u", all added up"));
}

QTEST_GUILESS_MAIN(tst_Kinds)
#include "tst_kinds.moc"
