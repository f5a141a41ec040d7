// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/item_names.h"
#include "tests/support/roles.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_ItemNames : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void itemHasOneName_data();
    void itemHasOneName();
    void itemsInARow_data();
    void itemsInARow();
    void numbersFollowEachOther_data();
    void numbersFollowEachOther();
};

namespace {

ExperimentSpec specWith(const QJsonValue &items)
{
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.items"_s, items);
    return spec;
}

const QJsonArray fruit{u"apple"_s, u""_s, u" two\n words "_s, QString(1'000'000, u'x')};

} // namespace

void tst_ItemNames::itemHasOneName_data()
{
    QTest::addColumn<QJsonValue>("items");
    QTest::addColumn<quint64>("index");
    QTest::addColumn<QString>("name");
    QTest::newRow("number") << QJsonValue(QJsonValue::Undefined) << quint64{27} << u"#27"_s;
    QTest::newRow("name") << QJsonValue(fruit) << quint64{0} << u"apple"_s;
    QTest::newRow("empty text") << QJsonValue(fruit) << quint64{1} << u"#1"_s;
    QTest::newRow("on one line") << QJsonValue(fruit) << quint64{2} << u"two words"_s;
    QTest::newRow("long") << QJsonValue(fruit) << quint64{3} << QString(31, u'x') + u'\u2026';
    QTest::newRow("behind the last") << QJsonValue(fruit) << quint64{4} << u"#4"_s;
}

void tst_ItemNames::itemHasOneName()
{
    QFETCH(const QJsonValue, items);
    QFETCH(const quint64, index);
    QTEST(ItemNames(specWith(items)).nameOf(index), "name");
}

void tst_ItemNames::itemsInARow_data()
{
    QTest::addColumn<quint64>("first");
    QTest::addColumn<quint64>("count");
    QTest::addColumn<QString>("text");
    QTest::newRow("one") << quint64{0} << quint64{1} << u"apple"_s;
    QTest::newRow("names") << quint64{0} << quint64{3} << u"apple \u2013 two words"_s;
    QTest::newRow("numbers") << quint64{4} << quint64{6} << u"#4\u20139"_s;
}

void tst_ItemNames::itemsInARow()
{
    QFETCH(const quint64, first);
    QFETCH(const quint64, count);
    QTEST(ItemNames(specWith(fruit)).namesFrom(first, count), "text");
}

void tst_ItemNames::numbersFollowEachOther_data()
{
    QTest::addColumn<const ProcessRole *>("role");
    QTest::addColumn<int>("producers");
    QTest::addColumn<bool>("follow");
    QTest::newRow("the only producer") << test::producer() << 1 << true;
    QTest::newRow("one of two producers") << test::producer() << 2 << false;
    QTest::newRow("consumer") << test::consumer() << 1 << false;
    QTest::newRow("worker") << test::worker() << 1 << true;
}

void tst_ItemNames::numbersFollowEachOther()
{
    QFETCH(const ProcessRole *const, role);
    QFETCH(const int, producers);
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.producers"_s, producers);
    QTEST(ItemNames(spec).followEachOther(*role), "follow");
}

QTEST_GUILESS_MAIN(tst_ItemNames)
#include "tst_item_names.moc"
