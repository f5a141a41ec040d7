// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"

#include <QFile>
#include <QJsonObject>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_RunFaults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void badWorkerProgramIsOneError_data();
    void badWorkerProgramIsOneError();

private:
    QTemporaryDir m_folder;
};

void tst_RunFaults::badWorkerProgramIsOneError_data()
{
    QTest::addColumn<QByteArray>("content"); // Empty: no such file.
    QTest::addColumn<bool>("isExecutable");
    QTest::addColumn<QString>("kind");
    for (const auto &kind : {u"pool"_s, u"pipeline"_s, u"counter"_s}) {
        const QByteArray name = kind.toLatin1();
        QTest::addRow("%s, missing", name.constData()) << QByteArray() << false << kind;
        QTest::addRow("%s, not executable", name.constData())
            << QByteArray("#!/bin/sh\n") << false << kind;
        QTest::addRow("%s, no worker", name.constData())
            << QByteArray("#!/bin/sh\nexit 0\n") << true << kind;
        QTest::addRow("%s, another build", name.constData())
            << QByteArray("#!/bin/sh\nexit 86\n") << true << kind;
    }
}

void tst_RunFaults::badWorkerProgramIsOneError()
{
    QFETCH(const QByteArray, content);
    QFETCH(const bool, isExecutable);
    QFETCH(const QString, kind);
    const test::LeakCheck before;
    const QString program = m_folder.filePath(u"worker"_s);
    QFile::remove(program);
    if (!content.isEmpty()) {
        QFile file(program);
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(content), content.size());
        file.close();
        QVERIFY(file.setPermissions(isExecutable ? QFile::ReadOwner | QFile::ExeOwner
                                                 : QFile::ReadOwner));
    }
    {
        Engine engine(program);
        ExperimentSpec spec(kind);
        if (kind == u"pool"_s)
            spec.set(u"tasks"_s, QJsonObject{{u"task"_s, u"noop"_s}, {u"count"_s, 4}});
        ExperimentRun run(engine, spec);
        QSignalSpy ended(&run, &ExperimentRun::ended);
        QVERIFY(run.start());
        QVERIFY(!ended.isEmpty() || ended.wait(30'000));
        QCOMPARE(run.result().exitStatus(), 3);
        QVERIFY(run.result().engineError);
        const QString text = errorText(*run.result().engineError);
        QVERIFY2(!text.isEmpty() && !text.contains(u'\n'), qPrintable(text));
        QVERIFY2(text.contains(program), qPrintable(text));
    }
    QTRY_COMPARE_WITH_TIMEOUT(before.leftovers(), QString(), 10'000);
}

QTEST_GUILESS_MAIN(tst_RunFaults)
#include "tst_run_faults.moc"
