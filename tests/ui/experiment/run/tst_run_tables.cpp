// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/number_text.h"
#include "tests/support/sample_run.h"
#include "ui/experiment/run/run_tables.h"
#include "ui/shared/theme.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QClipboard>
#include <QSignalSpy>
#include <QTest>

using namespace proclab;
using namespace Qt::StringLiterals;

namespace {

QString cell(const QAbstractItemModel &model, int row, const QString &header)
{
    for (int column = 0; column < model.columnCount(); ++column) {
        if (model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString() == header)
            return model.index(row, column).data().toString();
    }
    return u"no such column"_s;
}

} // namespace

class tst_RunTables : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Light); }
    void modelsKeepTheirPromises();
    void eventsGrowByRefresh();
    void resultsShowTasksInOrderOfCompletion();
    void failedTaskShowsItsCause();
    void kindWithoutTasksHasARowForEachProcess();
    void firstTaskTurnsProcessesIntoTasks();
    void noRunHasNoRows();
    void copyTakesTheSelectedRows();
    void countsAreAlikeDuringARunAndAfterIt();
    void numbersAreAtTheRight();
    void tableIsDrawn();
    void processHasItsBadgeInItsColour();
};

void tst_RunTables::modelsKeepTheirPromises()
{
    EventsModel events;
    ResultsModel results;
    const QAbstractItemModelTester eventsTester(
        &events, QAbstractItemModelTester::FailureReportingMode::QtTest);
    const QAbstractItemModelTester resultsTester(
        &results, QAbstractItemModelTester::FailureReportingMode::QtTest);
    const SampleRun pool = samplePool();
    events.setRun(pool.log);
    results.setRun(pool.log);
    pool.log->addEvent({5'000'000'000, RunEvent::Severity::Info, 1, {"process_exited"_ba, {}}});
    TaskRecord task;
    task.index = 23;
    task.process = 1;
    pool.log->tasks.append(task);
    events.refresh();
    results.refresh();
    const SampleRun counter = sampleCounter();
    results.setRun(counter.log);
    counter.log->updateProcess(1, [](ProcessRecord &process) { process.done = 10'000; });
    results.refresh();
    results.setRun(nullptr);
    events.setRun(nullptr);
    events.refresh();
    results.refresh();
}

void tst_RunTables::eventsGrowByRefresh()
{
    const SampleRun run = samplePool();
    EventsModel model;
    model.setRun(run.log);
    QCOMPARE(model.rowCount(), 1);
    QCOMPARE(cell(model, 0, u"Time, s"_s), u"3.450000"_s);
    QCOMPARE(cell(model, 0, u"Process"_s), u"worker-3"_s);
    QVERIFY(cell(model, 0, u"What happened"_s).contains(u"SIGSEGV"_s));
    QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    run.log->addEvent({-1'000'000, RunEvent::Severity::Info, -1, {"time_limit"_ba}});
    QCOMPARE(model.rowCount(), 1);
    model.refresh();
    model.refresh();
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(inserted.size(), 1);
    QCOMPARE(cell(model, 1, u"Time, s"_s), u"\u22120.001000"_s);
    QCOMPARE(cell(model, 1, u"Process"_s), QString());
}

void tst_RunTables::resultsShowTasksInOrderOfCompletion()
{
    const SampleRun run = samplePool({.seconds = 60, .crashSeconds = 0});
    ResultsModel model;
    model.setRun(run.log);
    QCOMPARE(model.rowCount(), 24);
    double before = 0;
    for (int row = 0; row < model.rowCount(); ++row) {
        const double finished = cell(model, row, u"Finished, s"_s).toDouble();
        QVERIFY(finished >= before);
        QVERIFY(cell(model, row, u"Started, s"_s).toDouble() < finished);
        QVERIFY(cell(model, row, u"Worker"_s).startsWith(u"worker-"_s));
        before = finished;
    }
}

void tst_RunTables::failedTaskShowsItsCause()
{
    const SampleRun run = samplePool();
    ResultsModel model;
    model.setRun(run.log);
    int failed = 0;
    for (int row = 0; row < model.rowCount(); ++row) {
        if (cell(model, row, u"Error"_s).isEmpty())
            continue;
        ++failed;
        QCOMPARE(cell(model, row, u"Error"_s), u"signal 11"_s);
        QCOMPARE(cell(model, row, u"Worker"_s), u"worker-3"_s);
        QCOMPARE(cell(model, row, u"PID"_s), u"48225"_s);
    }
    QCOMPARE(failed, 1);
}

void tst_RunTables::kindWithoutTasksHasARowForEachProcess()
{
    const SampleRun run = sampleCounter();
    ResultsModel model;
    model.setRun(run.log, ResultsModel::Results::OfProcesses);
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(cell(model, 0, u"Process"_s), u"process-1"_s);
    QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    run.log->updateProcess(1, [](ProcessRecord &process) { process.done = 10'000; });
    model.refresh();
    model.refresh();
    QCOMPARE(changed.size(), 1);
    QCOMPARE(cell(model, 0, u"Done"_s), groupedNumber(10'000));
    // The end of the first does not turn it into a task.
    TaskRecord result;
    result.process = 1;
    run.log->tasks.append(result);
    model.refresh();
    QCOMPARE(cell(model, 0, u"Process"_s), u"process-1"_s);
}

void tst_RunTables::firstTaskTurnsProcessesIntoTasks()
{
    const SampleRun run = sampleCounter();
    ResultsModel model;
    model.setRun(run.log);
    TaskRecord task;
    task.index = 5;
    run.log->tasks.append(task);
    model.refresh();
    QCOMPARE(model.rowCount(), 1);
    QCOMPARE(cell(model, 0, u"Index"_s), u"5"_s);
    QCOMPARE(cell(model, 0, u"Started, s"_s), QString()); // Never started.
}

void tst_RunTables::noRunHasNoRows()
{
    EventsModel events;
    ResultsModel results;
    QCOMPARE(events.rowCount(), 0);
    QCOMPARE(results.rowCount(), 0);
    events.refresh();
    results.refresh();
    QCOMPARE(results.columnCount(), 8);
}

void tst_RunTables::copyTakesTheSelectedRows()
{
    const SampleRun run = samplePool({.seconds = 60, .crashSeconds = 0});
    ResultsModel model;
    model.setRun(run.log);
    DataTable table(&model);
    table.resize(800, 300);
    table.show();
    QVERIFY(QTest::qWaitForWindowExposed(&table));
    table.selectRow(2);
    QTest::keyClick(&table, Qt::Key_Down, Qt::ShiftModifier);
    QTest::keyClick(&table, Qt::Key_C, Qt::ControlModifier);
    const QStringList lines = QGuiApplication::clipboard()->text().split(u'\n');
    QCOMPARE(lines.size(), 4); // The head, two rows, the end.
    QVERIFY(lines[0].startsWith(u"Index\tWorker\tPID\tValue"_s));
    QCOMPARE(lines[1].split(u'\t').size(), 8);
    QCOMPARE(lines[1].section(u'\t', 0, 0), cell(model, 2, u"Index"_s));
    QCOMPARE(lines[2].section(u'\t', 0, 0), cell(model, 3, u"Index"_s));
}

void tst_RunTables::countsAreAlikeDuringARunAndAfterIt()
{
    const SampleRun run = sampleCounter();
    TaskRecord task;
    task.process = 1;
    task.valueType = TaskRecord::ValueType::Unsigned;
    task.unsignedInteger = 10'000;
    run.log->updateProcess(1, [](ProcessRecord &process) { process.done = 10'000; });
    ResultsModel model;
    model.setRun(run.log);
    const QString during = cell(model, 0, u"Done"_s);
    QCOMPARE(during, groupedNumber(10'000));
    run.log->tasks.append(task);
    model.refresh();
    QCOMPARE(cell(model, 0, u"Value"_s), during);
    // Other programs read no groups.
    DataTable table(&model);
    table.show();
    table.selectRow(0);
    QTest::keyClick(&table, Qt::Key_C, Qt::ControlModifier);
    QVERIFY(QGuiApplication::clipboard()->text().contains(u"\t10000\t"_s));
}

void tst_RunTables::numbersAreAtTheRight()
{
    const SampleRun run = samplePool();
    ResultsModel model;
    model.setRun(run.log);
    QVERIFY(model.index(0, 0).data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight);
    QVERIFY(!(model.index(0, 1).data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight));
}

void tst_RunTables::tableIsDrawn()
{
    const SampleRun run = samplePool();
    EventsModel model;
    model.setRun(run.log);
    DataTable table(&model);
    table.resize(600, 120);
    table.show();
    QVERIFY(QTest::qWaitForWindowExposed(&table));
    QCOMPARE(table.rowHeight(0), 28);
    const QImage image = table.viewport()->grab().toImage();
    bool hasText = false;
    for (int x = 0; x < image.width() && !hasText; ++x)
        hasText = image.pixelColor(x, 14) != Theme::current().panel;
    QVERIFY(hasText);
}

void tst_RunTables::processHasItsBadgeInItsColour()
{
    const SampleRun run = samplePool();
    EventsModel events;
    ResultsModel results;
    events.setRun(run.log);
    results.setRun(run.log);
    for (QAbstractItemModel *model : {static_cast<QAbstractItemModel *>(&events),
                                      static_cast<QAbstractItemModel *>(&results)}) {
        const QModelIndex cell = model->index(0, 1);
        const auto process = cell.data(badgeRole).value<ProcessRecord>();
        QCOMPARE(process.name, cell.data().toString());
        QVERIFY(!cell.siblingAtColumn(0).data(badgeRole).isValid());
        DataTable table(model);
        table.resize(600, 120);
        table.show();
        QVERIFY(QTest::qWaitForWindowExposed(&table));
        const QImage image = table.viewport()->grab(table.visualRect(cell)).toImage();
        const QColor color = Theme::current().process(process.colorIndex);
        bool hasColor = false;
        for (int y = 0; y < image.height(); ++y) {
            for (int x = 0; x < image.width(); ++x)
                hasColor = hasColor || image.pixelColor(x, y) == color;
        }
        QVERIFY(hasColor);
    }
}

QTEST_MAIN(tst_RunTables)
#include "tst_run_tables.moc"
