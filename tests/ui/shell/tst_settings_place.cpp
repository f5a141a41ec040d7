// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/settings_place.h"

#include <QDir>
#include <QFile>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_SettingsPlace : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void firstUsableFolderIsTaken_data();
    void firstUsableFolderIsTaken();
    void settingsGoThere();
    void withoutAnyNothingIsKept();

private:
    QTemporaryDir m_folder;
    QString m_home;
    QString m_account;
};

void tst_SettingsPlace::initTestCase()
{
    m_home = m_folder.filePath(u"home"_s);
    m_account = m_folder.filePath(u"account"_s);
    QVERIFY(QDir().mkpath(m_home) && QDir().mkpath(m_account));
    QFile file(m_folder.filePath(u"file"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
}

void tst_SettingsPlace::firstUsableFolderIsTaken_data()
{
    QTest::addColumn<QString>("configHome");
    QTest::addColumn<QString>("home");
    QTest::addColumn<QString>("account");
    QTest::addColumn<QString>("expected"); // Null: none.
    const QString file = m_folder.filePath(u"file"_s);
    const QString config = m_folder.filePath(u"to/be/made"_s);
    const QString inHome = m_home + u"/.config"_s;
    const QString inAccount = m_account + u"/.config"_s;
    const QString missing = u"/nonexistent"_s;
    QTest::newRow("all") << config << m_home << m_account << config;
    QTest::newRow("usual") << QString() << m_home << m_account << inHome;
    QTest::newRow("relative") << u"config"_s << m_home << m_account << inHome;
    QTest::newRow("below a file") << file + u"/x"_s << m_home << m_account << inHome;
    QTest::newRow("below the root") << u"/not/there"_s << m_home << m_account << inHome;
    QTest::newRow("no HOME") << QString() << QString() << m_account << inAccount;
    QTest::newRow("HOME is missing") << QString() << missing << m_account << inAccount;
    QTest::newRow("HOME is the root") << QString() << u"/"_s << m_account << inAccount;
    QTest::newRow("HOME is a file") << QString() << file << m_account << inAccount;
    QTest::newRow("no account") << QString() << QString() << QString() << QString();
    QTest::newRow("nothing is there") << QString() << missing << missing << QString();
    QTest::newRow("all are the root") << u"/"_s << u"/"_s << u"/"_s << QString();
}

void tst_SettingsPlace::firstUsableFolderIsTaken()
{
    QFETCH(const QString, configHome);
    QFETCH(const QString, home);
    QFETCH(const QString, account);
    QFETCH(const QString, expected);
    const auto folder = settingsFolder(configHome, home, account);
    QCOMPARE(folder.has_value(), !expected.isNull());
    QCOMPARE(folder.value_or(QString()), expected);
}

void tst_SettingsPlace::settingsGoThere()
{
    qunsetenv("XDG_CONFIG_HOME");
    qputenv("HOME", QFile::encodeName(m_home));
    QCOMPARE(useSettingsFolder(m_folder.filePath(u"substitute"_s)), QString());
    QSettings settings(u"proclab-test"_s, u"place"_s);
    settings.setValue(u"key"_s, 1);
    settings.sync();
    QCOMPARE(settings.status(), QSettings::NoError);
    QCOMPARE(settings.fileName(), m_home + u"/.config/proclab-test/place.conf"_s);
    QVERIFY(QFile::exists(settings.fileName()));
}

void tst_SettingsPlace::withoutAnyNothingIsKept()
{
    if (settingsFolder({}, {}, accountHome()))
        QSKIP("the account that runs the test has a home directory");
    qunsetenv("XDG_CONFIG_HOME");
    qputenv("HOME", "/nonexistent");
    const QString substitute = m_folder.filePath(u"substitute"_s);
    QCOMPARE(useSettingsFolder(substitute),
             u"HOME: \"/nonexistent\", the settings of the window are not kept; allowed: a folder "
             "that can be written"_s);
    QVERIFY(QSettings(u"a"_s, u"b"_s).fileName().startsWith(substitute));
}

QTEST_GUILESS_MAIN(tst_SettingsPlace)
#include "tst_settings_place.moc"
