// SPDX-License-Identifier: GPL-3.0-or-later
#include <QCoreApplication>
#include <QProcess>
#include <QTest>

using namespace Qt::StringLiterals;

/// What `proclab` says of a command line that it can't follow.
class tst_LabArguments : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void badUsageIsOneLineAndStatusTwo_data();
    void badUsageIsOneLineAndStatusTwo();
};

void tst_LabArguments::badUsageIsOneLineAndStatusTwo_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("line");
    const auto row = [](const QStringList &arguments, const QString &line) {
        QTest::newRow(qPrintable(arguments.join(u' '))) << arguments << line;
    };
    row({u"--page"_s, u"pol"_s}, u"--page: there is no page pol; did you mean pool?"_s);
    row({u"--page"_s, u"walk"_s}, u"--page: there is no page walk"_s);
    row({u"--preset"_s, u"pool-prime"_s},
        u"--preset: there is no preset pool-prime; did you mean pool-primes?"_s);
    row({u"--preset"_s, u"walk"_s}, u"--preset: there is no preset walk"_s);
    row({u"--theme"_s, u"drak"_s},
        u"--theme: drak is not one of dark, light, system; did you mean dark?"_s);
    row({u"--theme"_s, u"blue"_s}, u"--theme: blue is not one of dark, light, system"_s);
    row({u"--prest"_s, u"pool"_s}, u"Unknown option 'prest'; did you mean --preset?"_s);
    row({u"--walk"_s}, u"Unknown option 'walk'"_s);
    row({u"--page"_s}, u"Missing value after '--page'"_s);
}

void tst_LabArguments::badUsageIsOneLineAndStatusTwo()
{
    QFETCH(const QStringList, arguments);
    QFETCH(const QString, line);
    QProcess process;
    process.start(QCoreApplication::applicationDirPath() + u"/proclab"_s, arguments);
    QVERIFY(process.waitForFinished(60'000));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 2);
    QCOMPARE(process.readAllStandardOutput(), QByteArray());
    QCOMPARE(QString::fromUtf8(process.readAllStandardError()),
             QString(u"proclab: " % line % u'\n'));
}

QTEST_GUILESS_MAIN(tst_LabArguments)
#include "tst_lab_arguments.moc"
