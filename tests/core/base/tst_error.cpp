// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"

#include <QSet>
#include <QTest>

#include <cerrno>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_Error : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textIsOneLine_data();
    void textIsOneLine();
    void everyCodeHasItsOwnText();
    void factsAreKept();
};

void tst_Error::textIsOneLine_data()
{
    QTest::addColumn<Error>("error");
    QTest::addColumn<QString>("text");
    QTest::newRow("code alone") << Error{ErrorCode::Timeout, {}, {}, {}}
                                << u"the time limit was reached"_s;
    QTest::newRow("subject") << Error{ErrorCode::BrokenPool, u"pool"_s, {}, {}}
                             << u"pool: the pool is broken"_s;
    QTest::newRow("what was attempted")
        << Error{ErrorCode::Full, u"queue"_s, u"put"_s, {}} << u"queue: put: full"_s;
    QTest::newRow("what to try") << Error{ErrorCode::Closed, u"pool"_s, {}, u"make a new one"_s}
                                 << u"pool: already closed; make a new one"_s;
    QTest::newRow("argument with its own verb")
        << invalidArgument(u"pool.workers"_s, u"0 is below the minimum 1"_s, {})
        << u"pool.workers: 0 is below the minimum 1"_s;
    QTest::newRow("argument and what is allowed")
        << invalidArgument(u"pool.workers"_s, u"0"_s, u"1 to 256"_s)
        << u"pool.workers: 0; 1 to 256"_s;
    QTest::newRow("argument without a value")
        << invalidArgument(u"kind"_s, {}, {}) << u"kind: not allowed"_s;
    QTest::newRow("system") << osError(u"/tmp/a"_s, ENOENT, u"open"_s)
                            << u"/tmp/a: open: the system refused (No such file or directory)"_s;
    QTest::newRow("system, no attempt")
        << osError(u"/tmp/a"_s, EACCES) << u"/tmp/a: the system refused (Permission denied)"_s;
    QTest::newRow("percent signs stay")
        << Error{ErrorCode::ProcessFailed, u"50%1"_s, u"%2"_s, u"%3"_s, EPERM}
        << u"50%1: %2: the process failed (Operation not permitted); %3"_s;
}

void tst_Error::textIsOneLine()
{
    QFETCH(const Error, error);
    QFETCH(const QString, text);
    QCOMPARE(errorText(error), text);
}

void tst_Error::everyCodeHasItsOwnText()
{
    QSet<QString> texts;
    const int codes = static_cast<int>(ErrorCode::OsError) + 1;
    for (int code = 0; code < codes; ++code) {
        const QString text = errorText({static_cast<ErrorCode>(code), {}, {}, {}});
        QVERIFY2(!text.isEmpty(), qPrintable(QString::number(code)));
        QVERIFY2(!text.endsWith(u'.'), qPrintable(text));
        QVERIFY2(!text.contains(u'\n'), qPrintable(text));
        texts.insert(text);
    }
    QCOMPARE(texts.size(), codes);
}

void tst_Error::factsAreKept()
{
    const Error argument = invalidArgument(u"path"_s, u"found"_s, u"allowed"_s);
    QCOMPARE(argument, (Error{ErrorCode::InvalidArgument, u"path"_s, u"found"_s, u"allowed"_s, 0}));
    const Error system = osError(u"file"_s, EIO, u"read"_s);
    QCOMPARE(system, (Error{ErrorCode::OsError, u"file"_s, u"read"_s, {}, EIO}));
    QVERIFY(argument != system);
}

QTEST_GUILESS_MAIN(tst_Error)
#include "tst_error.moc"
