// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/nearest_name.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_NearestName : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nearestIsFound_data();
    void nearestIsFound();
    void suggestionStandsBehindTheError_data();
    void suggestionStandsBehindTheError();
};

void tst_NearestName::nearestIsFound_data()
{
    QTest::addColumn<QString>("word");
    QTest::addColumn<QStringList>("names");
    QTest::addColumn<QString>("nearest");
    const QStringList presets{u"pool"_s, u"pool-primes"_s, u"pool-crash"_s, u"pipe-ping-pong"_s};
    const auto row = [](const char *name, const QString &word, const QStringList &names,
                        const QString &nearest) {
        QTest::newRow(name) << word << names << nearest;
    };
    row("a letter is missing", u"pool-prmes"_s, presets, u"pool-primes"_s);
    row("a letter too many", u"pooll"_s, presets, u"pool"_s);
    row("another letter", u"pool-crush"_s, presets, u"pool-crash"_s);
    row("two letters swapped", u"pool-pirmes"_s, presets, u"pool-primes"_s);
    row("a swap is one change", u"ab"_s, {u"ba"_s}, u"ba"_s);
    row("upper case", u"POOL-Primes"_s, presets, u"pool-primes"_s);
    row("underscore for a hyphen", u"pool_primes"_s, presets, u"pool-primes"_s);
    row("as many changes as are near", u"pxxl-prxmes"_s, presets, u"pool-primes"_s);
    row("one more", u"pxxl-prxmxs"_s, presets, {});
    row("the nearest of two", u"poo-l"_s, presets, u"pool"_s);
    row("the first of two as near", u"map"_s, {u"imap"_s, u"mapp"_s}, u"imap"_s);
    row("the nearer one that comes later", u"limits"_s, {u"minis"_s, u"limit"_s}, u"limit"_s);
    row("an option", u"--jsn"_s, {u"--csv"_s, u"--json"_s}, u"--json"_s);
    row("one letter", u"m"_s, {u"n"_s}, {});
    row("one letter in another case", u"N"_s, {u"n"_s}, u"n"_s);
    row("one letter for two", u"n"_s, {u"nm"_s}, u"nm"_s);
    row("another word", u"walk"_s, presets, {});
    row("a name's beginning alone", u"pipe"_s, {u"pipe-ping-pong"_s}, {});
    row("no word", {}, presets, {});
    row("no names", u"pool"_s, {}, {});
    row("beyond ASCII", u"größe"_s, {u"grösse"_s, u"größen"_s}, u"größen"_s);
    row("a very long word", QString(1'000'000, u'p'), presets, {});
}

void tst_NearestName::nearestIsFound()
{
    QFETCH(const QString, word);
    QFETCH(const QStringList, names);
    QFETCH(const QString, nearest);
    QCOMPARE(nearestName(word, names), nearest);
}

void tst_NearestName::suggestionStandsBehindTheError_data()
{
    QTest::addColumn<QString>("word");
    QTest::addColumn<QString>("allowed");
    QTest::addColumn<QString>("text");
    QTest::newRow("behind what is allowed")
        << u"mapp"_s << u"allowed: map"_s << u"a.b: wrong; allowed: map; did you mean map?"_s;
    QTest::newRow("alone") << u"mapp"_s << QString() << u"a.b: wrong; did you mean map?"_s;
    QTest::newRow("nothing is near")
        << u"thread"_s << u"allowed: map"_s << u"a.b: wrong; allowed: map"_s;
}

void tst_NearestName::suggestionStandsBehindTheError()
{
    QFETCH(const QString, word);
    QFETCH(const QString, allowed);
    QFETCH(const QString, text);
    const Error error = invalidArgument(u"a.b"_s, u"wrong"_s, allowed);
    QCOMPARE(errorText(withSuggestion(error, word, {u"map"_s, u"spawn"_s})), text);
}

QTEST_GUILESS_MAIN(tst_NearestName)
#include "tst_nearest_name.moc"
