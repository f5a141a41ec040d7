// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"

#include <QDir>
#include <QSet>
#include <QTest>

#include <algorithm>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_Presets : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyEmbeddedFileIsListed();
    void everyPresetCanRun_data();
    void everyPresetCanRun();
    void presetsOfAKindStandTogether();
    void everyAvailableKindHasOne();
    void unknownNameIsNotFound();
};

void tst_Presets::everyEmbeddedFileIsListed()
{
    QStringList files = QDir(u":/presets"_s).entryList({u"*.proclab.json"_s});
    QVERIFY(!files.isEmpty());
    QStringList listed;
    for (const Preset &preset : presets())
        listed.append(preset.name + u".proclab.json"_s);
    files.sort();
    listed.sort();
    QCOMPARE(listed, files);
}

void tst_Presets::everyPresetCanRun_data()
{
    QTest::addColumn<QString>("name");
    for (const Preset &preset : presets())
        QTest::newRow(qPrintable(preset.name)) << preset.name;
}

void tst_Presets::everyPresetCanRun()
{
    QFETCH(const QString, name);
    const auto preset = findPreset(name);
    QVERIFY(preset);
    const QList<Error> faults = preset->spec.check();
    QVERIFY2(faults.isEmpty(), faults.isEmpty() ? "" : qPrintable(errorText(faults.first())));
    QVERIFY(preset->title.size() > 3 && preset->title.size() <= 30); // It stands in a combo box.
    QVERIFY(preset->description.endsWith(u'.') && preset->description.size() <= 110);
    QVERIFY(preset->spec.isSet(u"title"_s));
}

void tst_Presets::presetsOfAKindStandTogether()
{
    QSet<QString> seen;
    QString last;
    for (const Preset &preset : presets()) {
        if (preset.spec.kind() == last)
            continue;
        last = preset.spec.kind();
        QVERIFY2(!seen.contains(last), qPrintable(preset.name));
        seen.insert(last);
    }
}

void tst_Presets::everyAvailableKindHasOne()
{
    for (const Kind &kind : kinds()) {
        const bool hasOne =
            std::any_of(presets().begin(), presets().end(),
                        [&](const Preset &preset) { return preset.spec.kind() == kind.name; });
        QVERIFY2(hasOne == kind.isAvailable(), qPrintable(kind.name));
    }
}

void tst_Presets::unknownNameIsNotFound()
{
    QVERIFY(!findPreset(u"no-such-preset"_s));
    QVERIFY(!findPreset({}));
}

QTEST_GUILESS_MAIN(tst_Presets)
#include "tst_presets.moc"
