// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/explain/explanation.h"
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/preset_runs.h"
#include "tests/support/run_to_end.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

/// What is said of real runs.
class tst_ExplainRuns : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void presetIsExplained_data();
    void presetIsExplained();
    void everyPresetIsExplained_data();
    void everyPresetIsExplained();

private:
    Engine m_engine;
};

void tst_ExplainRuns::presetIsExplained_data()
{
    QTest::addColumn<QString>("preset");
    QTest::addColumn<QString>("rule");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("tried");
    const auto row = [](const char *preset, const QString &rule, const QString &text,
                        const QString &tried = {}) {
        QTest::newRow(preset) << QString::fromLatin1(preset) << rule << text << tried;
    };
    row("pipeline-slow-consumers", u"pipeline.bottleneck"_s, u"The consumers set the pace"_s);
    row("counter-no-lock", u"counter.updates_lost"_s, u" updates were lost"_s, u"counter.mode"_s);
    row("pool-crash", u"crash"_s, u"was ended by SIGSEGV"_s);
    row("process-daemon", u"process.daemons_ended"_s, u"ended with their parent"_s,
        u"process.daemon"_s);
    row("process-join-timeout", u"process.joins_timed_out"_s, u"3 of 3 children"_s,
        u"process.join_timeout_s"_s);
}

void tst_ExplainRuns::presetIsExplained()
{
    QFETCH(const QString, preset);
    QFETCH(const QString, rule);
    QFETCH(const QString, text);
    QFETCH(const QString, tried);
    ExperimentRun run(m_engine, findPreset(preset)->spec);
    QVERIFY(test::runToEnd(run));
    const QList<Explanation> all = explain(run.result());
    const auto found = std::find_if(all.begin(), all.end(), [&rule](const Explanation &one) {
        return one.note.code == rule.toLatin1();
    });
    QVERIFY(found != all.end());
    const QString said = explanationText(run.result(), *found);
    QVERIFY2(said.contains(text), qPrintable(said));
    QVERIFY(tried.isEmpty() || found->trial.contains(tried));
}

void tst_ExplainRuns::everyPresetIsExplained_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    for (const Preset &preset : presets())
        QTest::newRow(qPrintable(preset.name)) << test::shortened(preset);
}

/// In words, within the run, and with values that can be run.
void tst_ExplainRuns::everyPresetIsExplained()
{
    QFETCH(const ExperimentSpec, spec);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const QJsonArray array = test::resultJson(run.result())[u"explain"_s].toArray();
    const QList<Explanation> all = explain(run.result());
    QVERIFY(!all.isEmpty());
    QCOMPARE(array.size(), all.size());
    for (qsizetype i = 0; i < all.size(); ++i) {
        const Explanation &one = all[i];
        const QString text = explanationText(run.result(), one);
        QVERIFY2(text.endsWith(u'.'), qPrintable(text));
        QVERIFY(one.fromNs <= one.toNs);
        QVERIFY(one.weight >= 0 && one.weight <= 1);
        ExperimentSpec tried = spec;
        for (auto value = one.trial.begin(); value != one.trial.end(); ++value)
            tried.set(value.key(), *value);
        QVERIFY2(tried.check().isEmpty(), qPrintable(text));
        QVERIFY(one.trial.isEmpty() || tried != spec);
        const QJsonObject json = array[i].toObject();
        QCOMPARE(json.keys(), (QStringList{u"from_s"_s, u"processes"_s, u"rule"_s, u"text"_s,
                                           u"to_s"_s, u"try"_s}));
        QCOMPARE(json[u"text"_s], QJsonValue(text));
        QCOMPARE(json[u"processes"_s].toArray().size(), one.processes.size());
        QCOMPARE(json[u"try"_s].isNull(), one.trial.isEmpty());
    }
}

QTEST_GUILESS_MAIN(tst_ExplainRuns)
#include "tst_explain_runs.moc"
