// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/program/shell_reading.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

Q_DECLARE_METATYPE(QList<proclab::ShellWord>)

class tst_ShellReading : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void wordsHaveTheirMeaning_data();
    void wordsHaveTheirMeaning();
    void sameWordsAreRecognised_data();
    void sameWordsAreRecognised();
};

void tst_ShellReading::wordsHaveTheirMeaning_data()
{
    using enum ShellWord::Meaning;
    QTest::addColumn<QStringList>("command");
    QTest::addColumn<QList<ShellWord>>("words");
    const auto row = [](const char *name, const QStringList &command,
                        const QList<ShellWord> &words) { QTest::newRow(name) << command << words; };
    row("plain", {u"ls"_s, u"-l"_s}, {{u"ls"_s, Word}, {u"-l"_s, Word}});
    row("empty", {}, {});
    row("words split", {u"a b"_s}, {{u"a"_s, Word}, {u"b"_s, Word}});
    row("quotes", {u"'a b'"_s, u"\"c $D\""_s, u"''"_s},
        {{u"a b"_s, Word}, {u"c $D"_s, Variable}, {QString(), Word}});
    row("no end of quotes", {u"'a"_s}, {{u"a"_s, Word}});
    row("backslash", {u"a\\ b"_s, u"\\"_s}, {{u"a b"_s, Word}, {QString(), Word}});
    row("variables", {u"$HOME"_s, u"${X}"_s, u"~/a"_s, u"$"_s, u"a~"_s},
        {{u"$HOME"_s, Variable},
         {u"${X}"_s, Variable},
         {u"~/a"_s, Variable},
         {u"$"_s, Word},
         {u"a~"_s, Word}});
    row("files", {u"*.txt"_s, u"a?"_s, u"[ab]"_s},
        {{u"*.txt"_s, Files}, {u"a?"_s, Files}, {u"[ab]"_s, Files}});
    row("commands", {u"$(date -u)"_s, u"`date`"_s, u"$(never"_s},
        {{u"$(date -u)"_s, Output}, {u"`date`"_s, Output}, {u"$(never"_s, Output}});
    row("lists", {u"a;b"_s, u"&&"_s, u"c\nd"_s, u"||"_s},
        {{u"a"_s, Word},
         {u";"_s, Next},
         {u"b"_s, Word},
         {u"&&"_s, Next},
         {u"c"_s, Word},
         {u"\n"_s, Next},
         {u"d"_s, Word},
         {u"||"_s, Next}});
    row("pipes", {u"a|b"_s, u">f"_s, u"<g"_s, u"&"_s, u">>h"_s},
        {{u"a"_s, Word},
         {u"|"_s, Pipe},
         {u"b"_s, Word},
         {u">"_s, Redirect},
         {u"f"_s, Word},
         {u"<"_s, Redirect},
         {u"g"_s, Word},
         {u"&"_s, Background},
         {u">>"_s, Redirect},
         {u"h"_s, Word}});
    row("comment", {u"a#b"_s, u"# rest"_s, u"of it"_s},
        {{u"a#b"_s, Word}, {u"# rest of it"_s, Comment}});
}

void tst_ShellReading::wordsHaveTheirMeaning()
{
    QFETCH(const QStringList, command);
    QFETCH(const QList<ShellWord>, words);
    QVERIFY(shellReading(command) == words);
}

void tst_ShellReading::sameWordsAreRecognised_data()
{
    QTest::addColumn<QStringList>("command");
    QTest::addColumn<bool>("isSame");
    QTest::newRow("plain") << QStringList{u"ls"_s, u"-l"_s, u"/"_s} << true;
    QTest::newRow("space") << QStringList{u"ls"_s, u"a b"_s} << false;
    QTest::newRow("empty") << QStringList{u"ls"_s, QString()} << false;
    QTest::newRow("quote") << QStringList{u"echo"_s, u"'a'"_s} << false;
    QTest::newRow("files") << QStringList{u"echo"_s, u"*"_s} << false;
}

void tst_ShellReading::sameWordsAreRecognised()
{
    QFETCH(const QStringList, command);
    QFETCH(const bool, isSame);
    QCOMPARE(readsTheSame(command), isSame);
}

QTEST_APPLESS_MAIN(tst_ShellReading)
#include "tst_shell_reading.moc"
