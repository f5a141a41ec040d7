// SPDX-License-Identifier: GPL-3.0-or-later
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTest>

#include <algorithm>
#include <csignal>

using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 60'000;

/// The processes that are @p parent's children now.
QList<pid_t> childrenOf(qint64 parent)
{
    const QByteArray line = "\nPPid:\t" + QByteArray::number(parent) + '\n';
    QList<pid_t> children;
    for (const QString &entry : QDir(u"/proc"_s).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile file(u"/proc/%1/status"_s.arg(entry));
        if (file.open(QIODevice::ReadOnly) && file.readAll().contains(line))
            children.append(entry.toInt());
    }
    return children;
}

/// Gone, or a zombie that only waits to be reaped.
bool hasEnded(pid_t pid)
{
    QFile stat(u"/proc/%1/stat"_s.arg(pid));
    if (!stat.open(QIODevice::ReadOnly))
        return true;
    const QByteArray line = stat.readAll();
    return line.isEmpty() || line.mid(line.lastIndexOf(')') + 2).startsWith('Z');
}

} // namespace

class tst_CliFaults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void killedProgramLeavesNoChild_data();
    void killedProgramLeavesNoChild();
};

void tst_CliFaults::killedProgramLeavesNoChild_data()
{
    QTest::addColumn<QString>("start");
    QTest::newRow("spawn") << u"spawn"_s;
    QTest::newRow("forkserver") << u"forkserver"_s;
}

void tst_CliFaults::killedProgramLeavesNoChild()
{
    QFETCH(const QString, start);
    QProcess process;
    process.start(QCoreApplication::applicationDirPath() + u"/proclab-cli"_s,
                  {u"run"_s, u"pool"_s, u"--set"_s, u"pool.start_method="_s + start, u"--set"_s,
                   u"tasks.args.min_s=3600"_s, u"--set"_s, u"tasks.args.max_s=3600"_s});
    QVERIFY(process.waitForStarted(patience));
    // The four workers, and the zygote where there is one.
    const qsizetype expected = start == u"spawn"_s ? 4 : 5;
    QTRY_VERIFY_WITH_TIMEOUT(childrenOf(process.processId()).size() >= expected, patience);
    const QList<pid_t> children = childrenOf(process.processId());
    process.kill();
    QVERIFY(process.waitForFinished(patience));
    QTRY_VERIFY_WITH_TIMEOUT(std::all_of(children.begin(), children.end(), hasEnded), 10'000);
}

QTEST_GUILESS_MAIN(tst_CliFaults)
#include "tst_cli_faults.moc"
