// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/number_text.h"
#include "core/experiment/spec/kind.h"
#include "core/runtime/workloads/workload.h"
#include "ui/experiment/form/argument_fields.h"
#include "ui/experiment/form/field_editor.h"
#include "ui/experiment/form/spec_form.h"

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QJsonArray>
#include <QJsonObject>
#include <QLineEdit>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

QString fromView(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

/// Replaces what stands in the field at @p path, as a user does.
void type(const SpecForm &form, const QString &path, const QString &text)
{
    auto *line = qobject_cast<QLineEdit *>(form.editor(path)->control());
    QVERIFY(line != nullptr);
    line->setFocus();
    QTest::keyClick(line, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClick(line, Qt::Key_Delete);
    QTest::keyClicks(line, text);
}

ExperimentSpec pipelineOf(const QStringList &items)
{
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.items"_s, QJsonArray::fromStringList(items));
    return spec;
}

/// Chooses @p data in the combo at @p path with the arrow keys.
void choose(const SpecForm &form, const QString &path, const QString &data)
{
    auto *combo = qobject_cast<QComboBox *>(form.editor(path)->control());
    QVERIFY(combo != nullptr);
    QVERIFY(combo->findData(data) >= 0);
    combo->setFocus();
    QTest::keyClick(combo, Qt::Key_Home);
    while (combo->currentData().toString() != data)
        QTest::keyClick(combo, Qt::Key_Down);
}

} // namespace

class tst_SpecForm : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyFieldHasAnEditor_data();
    void everyFieldHasAnEditor();
    void typedNumberReachesTheSpec();
    void linesReachTheSpec();
    void decimalCommaIsTheLocales();
    void arrowKeysStep();
    void faultStandsAtItsField();
    void clearedFieldTakesItsDefault();
    void workloadBringsItsArguments();
    void argumentReachesTheSpec();
    void argumentFaultStandsAtItsField();
    void argumentListGivesWayToOneSet();
    void editDuringARunAppliesToTheNext();
    void firstFaultGetsTheFocus();
    void settingASpecIsNoEdit();
    void derivedDefaultFollowsAnEdit_data();
    void derivedDefaultFollowsAnEdit();
    void setValueStaysWhenItsDefaultMoves();
    void hugePasteIsRefused();
    void longListIsCheckedAfterAPause();
    void longListIsTakenOverOnRequest();
    void longListStaysUntilItIsReplaced();
};

void tst_SpecForm::everyFieldHasAnEditor_data()
{
    QTest::addColumn<QString>("kind");
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

void tst_SpecForm::everyFieldHasAnEditor()
{
    QFETCH(const QString, kind);
    SpecForm form;
    form.setSpec(ExperimentSpec(kind));
    for (const Field &field : findKind(kind)->schema) {
        if (field.type != Field::Type::Arguments)
            QVERIFY2(form.editor(field.path) != nullptr, qPrintable(field.path));
    }
    QCOMPARE(form.spec().kind(), kind);
}

void tst_SpecForm::typedNumberReachesTheSpec()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    QSignalSpy changed(&form, &SpecForm::specChanged);
    type(form, u"pool.workers"_s, u"3"_s);
    QCOMPARE(form.spec().integer(u"pool.workers"_s), 3);
    QVERIFY(!changed.isEmpty());
    QVERIFY(form.faults().isEmpty());
}

void tst_SpecForm::arrowKeysStep()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    type(form, u"pool.workers"_s, u"3"_s);
    QWidget *line = form.editor(u"pool.workers"_s)->control();
    QTest::keyClick(line, Qt::Key_Up);
    QCOMPARE(form.spec().integer(u"pool.workers"_s), 4);
    for (int i = 0; i < 9; ++i)
        QTest::keyClick(line, Qt::Key_Down);
    QCOMPARE(form.spec().integer(u"pool.workers"_s), 1); // The least that is allowed.
}

void tst_SpecForm::faultStandsAtItsField()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    const FieldEditor *editor = form.editor(u"pool.workers"_s);
    type(form, u"pool.workers"_s, u"0"_s);
    QCOMPARE(form.faults().size(), 1);
    QCOMPARE(editor->note(), FieldEditor::Note::Error);
    QVERIFY(editor->noteText().contains(u"0"_s));
    QVERIFY(!editor->noteText().contains(u"pool.workers"_s)); // It stands at the field.
    QCOMPARE(editor->control()->property("state").toString(), u"error"_s);

    type(form, u"pool.workers"_s, u"two"_s);
    QCOMPARE(editor->note(), FieldEditor::Note::Error);

    type(form, u"pool.workers"_s, u"2"_s);
    QVERIFY(form.faults().isEmpty());
    QCOMPARE(editor->note(), FieldEditor::Note::None);
    QCOMPARE(editor->control()->property("state").toString(), QString());
}

void tst_SpecForm::clearedFieldTakesItsDefault()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    type(form, u"tasks.count"_s, u"7"_s);
    QVERIFY(form.spec().isSet(u"tasks.count"_s));
    type(form, u"tasks.count"_s, {});
    QVERIFY(!form.spec().isSet(u"tasks.count"_s));
}

void tst_SpecForm::workloadBringsItsArguments()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    QStringList before;
    for (const runtime::WorkloadInfo &workload : runtime::workloads()) {
        choose(form, u"tasks.task"_s, fromView(workload.name));
        QCOMPARE(form.spec().text(u"tasks.task"_s), fromView(workload.name));
        QStringList now;
        for (const runtime::ArgumentInfo &argument : workload.arguments)
            now << u"tasks.args."_s + fromView(argument.name);
        for (const QString &path : std::as_const(before))
            QVERIFY2(now.contains(path) || form.editor(path) == nullptr, qPrintable(path));
        for (const QString &path : std::as_const(now)) {
            const FieldEditor *editor = form.editor(path);
            QVERIFY2(editor != nullptr, qPrintable(path));
            QVERIFY(!editor->field().help.isEmpty());
            QCOMPARE(editor->value(), argumentDefault(fromView(workload.name), path.mid(11)));
        }
        before = now;
    }
}

void tst_SpecForm::argumentReachesTheSpec()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    choose(form, u"tasks.task"_s, u"cpu.primes"_s);
    type(form, u"tasks.args.limit"_s, u"5000"_s);
    QCOMPARE(form.spec().value(u"tasks.args"_s).toObject().value(u"limit"_s).toInt(), 5000);
    choose(form, u"tasks.task"_s, u"io.sleep"_s);
    QVERIFY(!form.spec().value(u"tasks.args"_s).toObject().contains(u"limit"_s));
}

void tst_SpecForm::argumentFaultStandsAtItsField()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    choose(form, u"tasks.task"_s, u"cpu.primes"_s);
    type(form, u"tasks.args.limit"_s, u"-1"_s);
    QCOMPARE(form.faults().size(), 1);
    QCOMPARE(form.editor(u"tasks.args.limit"_s)->note(), FieldEditor::Note::Error);
}

void tst_SpecForm::argumentListGivesWayToOneSet()
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"tasks.task"_s, u"cpu.primes"_s);
    spec.set(u"tasks.args_list"_s,
             QJsonArray{QJsonObject{{u"limit"_s, 10}}, QJsonObject{{u"limit"_s, 20}}});
    SpecForm form;
    form.setSpec(spec);
    form.show();
    FieldEditor *list = form.editor(u"tasks.args_list"_s);
    QVERIFY(list->isVisible());
    QVERIFY(!form.editor(u"tasks.args.limit"_s)->isVisible());
    auto *button = list->findChild<QPushButton *>();
    QVERIFY(button != nullptr);
    QTest::mouseClick(button, Qt::LeftButton);
    QVERIFY(!form.spec().isSet(u"tasks.args_list"_s));
    QVERIFY(!list->isVisible());
    QVERIFY(form.editor(u"tasks.args.limit"_s)->isVisible());
}

void tst_SpecForm::editDuringARunAppliesToTheNext()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    type(form, u"pool.workers"_s, u"2"_s);
    form.setRunningSpec(form.spec());
    const FieldEditor *editor = form.editor(u"pool.workers"_s);
    QCOMPARE(editor->note(), FieldEditor::Note::None);
    type(form, u"pool.workers"_s, u"3"_s);
    QCOMPARE(editor->note(), FieldEditor::Note::Edited);
    QVERIFY(!editor->noteText().isEmpty());
    QCOMPARE(form.editor(u"tasks.count"_s)->note(), FieldEditor::Note::None);
    form.setRunningSpec({});
    QCOMPARE(editor->note(), FieldEditor::Note::None);
}

void tst_SpecForm::firstFaultGetsTheFocus()
{
    SpecForm form;
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, 0);
    form.setSpec(spec);
    form.show();
    QVERIFY(QTest::qWaitForWindowActive(&form));
    form.focusFirstFault();
    QTRY_VERIFY(form.editor(u"pool.workers"_s)->control()->hasFocus());
}

void tst_SpecForm::settingASpecIsNoEdit()
{
    SpecForm form;
    QSignalSpy changed(&form, &SpecForm::specChanged);
    ExperimentSpec spec(u"counter"_s);
    spec.set(u"counter.processes"_s, 5);
    form.setSpec(spec);
    QVERIFY(changed.isEmpty());
    QCOMPARE(form.spec(), spec);
    QCOMPARE(form.editor(u"counter.processes"_s)->value(), QJsonValue(5));
}

void tst_SpecForm::derivedDefaultFollowsAnEdit_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("choice");
    QTest::addColumn<QString>("derived");
    QTest::addColumn<QString>("shown");
    const QString mode = u"counter.mode"_s;
    const QString gap = u"counter.gap_ns"_s;
    const QString method = u"pool.method"_s;
    const QString chunk = u"pool.chunk_size"_s;
    QTest::newRow("no lock") << u"counter"_s << mode << u"none"_s << gap << u"100"_s;
    QTest::newRow("atomic") << u"counter"_s << mode << u"atomic"_s << gap << u"0"_s;
    QTest::newRow("map") << u"pool"_s << method << u"map"_s << chunk << u"auto"_s;
    QTest::newRow("starmap") << u"pool"_s << method << u"starmap"_s << chunk << u"auto"_s;
    QTest::newRow("apply") << u"pool"_s << method << u"apply"_s << chunk << u"1"_s;
}

void tst_SpecForm::derivedDefaultFollowsAnEdit()
{
    QFETCH(const QString, kind);
    QFETCH(const QString, path);
    QFETCH(const QString, choice);
    QFETCH(const QString, derived);
    QFETCH(const QString, shown);
    SpecForm form;
    form.setSpec(ExperimentSpec(kind));
    choose(form, path, choice);
    QCOMPARE(form.spec().text(path), choice);
    QVERIFY(!form.spec().isSet(derived));
    QCOMPARE(valueText(form.editor(derived)->value()), shown);
    QCOMPARE(valueText(form.spec().value(derived)), shown);
}

void tst_SpecForm::setValueStaysWhenItsDefaultMoves()
{
    SpecForm form;
    form.setSpec(ExperimentSpec(u"counter"_s));
    type(form, u"counter.gap_ns"_s, u"70"_s);
    choose(form, u"counter.mode"_s, u"none"_s);
    QCOMPARE(valueText(form.editor(u"counter.gap_ns"_s)->value()), u"70"_s);
    QCOMPARE(form.spec().integer(u"counter.gap_ns"_s), 70);
}

void tst_SpecForm::hugePasteIsRefused()
{
    SpecForm form;
    form.setSpec(pipelineOf({u"a"_s, u"b"_s}));
    FieldEditor *items = form.editor(u"pipeline.items"_s);
    auto *lines = qobject_cast<QPlainTextEdit *>(items->control());
    QVERIFY(lines != nullptr);
    QGuiApplication::clipboard()->setText(QString(13'000'000, u'x'));
    lines->paste();
    QCOMPARE(lines->toPlainText(), u"a\nb"_s);
    QCOMPARE(items->note(), FieldEditor::Note::Error);
    QCOMPARE(items->noteText(),
             u"Not pasted: %1 characters; allowed: at most %2 here, more in a file"_s.arg(
                 groupedNumber(13'000'000), groupedNumber(16'384)));
    QGuiApplication::clipboard()->setText(u"c\n"_s);
    lines->paste();
    QCOMPARE(lines->toPlainText(), u"c\na\nb"_s);
    QCOMPARE(items->note(), FieldEditor::Note::None);
    QCOMPARE(form.spec().value(u"pipeline.items"_s),
             QJsonValue(QJsonArray{u"c"_s, u"a"_s, u"b"_s}));
}

/// Keys in an experiment with a long list cost nothing but their own text, until there is a pause.
void tst_SpecForm::longListIsCheckedAfterAPause()
{
    SpecForm form;
    form.setSpec(pipelineOf(QStringList(100'000, u"a"_s)));
    QSignalSpy changed(&form, &SpecForm::specChanged);
    type(form, u"pipeline.producers"_s, u"777"_s);
    QCOMPARE(changed.size(), 0);
    QTRY_COMPARE(changed.size(), 1);
    QCOMPARE(form.spec().integer(u"pipeline.producers"_s), 777);
    QCOMPARE(form.editor(u"pipeline.producers"_s)->note(), FieldEditor::Note::Error);
    type(form, u"pipeline.producers"_s, u"3"_s);
    type(form, u"pipeline.consumers"_s, u"4"_s); // What was typed before is not lost.
    QTRY_COMPARE(form.spec().integer(u"pipeline.consumers"_s), 4);
    QCOMPARE(form.spec().integer(u"pipeline.producers"_s), 3);
    QVERIFY(form.faults().isEmpty());
}

void tst_SpecForm::longListIsTakenOverOnRequest()
{
    SpecForm form;
    form.setSpec(pipelineOf(QStringList(100'000, u"a"_s)));
    type(form, u"pipeline.producers"_s, u"3"_s);
    form.finishEdit();
    QCOMPARE(form.spec().integer(u"pipeline.producers"_s), 3);
    // What is shown anew is not overwritten by what was typed before.
    type(form, u"pipeline.producers"_s, u"5"_s);
    form.setSpec(pipelineOf({u"a"_s}));
    form.finishEdit();
    QVERIFY(!form.spec().isSet(u"pipeline.producers"_s));
}

/// A list that is too long for its editor stays as it is, and gives way to what is typed.
void tst_SpecForm::longListStaysUntilItIsReplaced()
{
    SpecForm form;
    const ExperimentSpec spec = pipelineOf({QString(1 << 20, u'x'), u"b"_s});
    form.setSpec(spec);
    FieldEditor *items = form.editor(u"pipeline.items"_s);
    auto *lines = qobject_cast<QPlainTextEdit *>(items->control());
    QVERIFY(lines != nullptr);
    QCOMPARE(lines->toPlainText(), QString());
    QVERIFY2(lines->placeholderText().startsWith(u"2 from the file"_s),
             qPrintable(lines->placeholderText()));
    type(form, u"pipeline.producers"_s, u"3"_s);
    QCOMPARE(form.spec().value(u"pipeline.items"_s), spec.value(u"pipeline.items"_s));
    QCOMPARE(items->value(), spec.value(u"pipeline.items"_s));
    QTest::keyClick(lines, Qt::Key_C);
    QCOMPARE(form.spec().value(u"pipeline.items"_s), QJsonValue(QJsonArray{u"c"_s}));
    QCOMPARE(lines->placeholderText(), u"One a line"_s);
}

/// A text with line ends, and variables, of which one has no value yet.
void tst_SpecForm::linesReachTheSpec()
{
    SpecForm form;
    ExperimentSpec spec(u"program"_s);
    spec.set(u"program.stdin"_s, u"a\nb"_s);
    spec.set(u"program.environment"_s, QJsonObject{{u"A"_s, u"1=2"_s}});
    form.setSpec(spec);
    const auto linesAt = [&form](const QString &path) {
        return qobject_cast<QPlainTextEdit *>(form.editor(path)->control());
    };
    QPlainTextEdit *input = linesAt(u"program.stdin"_s);
    QCOMPARE(input->toPlainText(), u"a\nb"_s);
    input->setPlainText(u"c\n\nd"_s);
    QPlainTextEdit *variables = linesAt(u"program.environment"_s);
    QCOMPARE(variables->toPlainText(), u"A=1=2"_s);
    variables->setPlainText(u"B=\n\nC=x=y"_s);
    form.finishEdit();
    QCOMPARE(form.spec().text(u"program.stdin"_s), u"c\n\nd"_s);
    QCOMPARE(form.spec().value(u"program.environment"_s).toObject(),
             (QJsonObject{{u"B"_s, QString()}, {u"C"_s, u"x=y"_s}}));
    QVERIFY(form.faults().isEmpty());
    variables->setPlainText(u"B"_s);
    form.finishEdit();
    QCOMPARE(form.faults().size(), 1);
    QCOMPARE(form.faults().first().subject, u"program.environment.B"_s);
    QCOMPARE(form.editor(u"program.environment"_s)->note(), FieldEditor::Note::Error);
}

void tst_SpecForm::decimalCommaIsTheLocales()
{
    const QLocale before;
    SpecForm form;
    form.setSpec(ExperimentSpec(u"pool"_s));
    QLocale::setDefault(QLocale(QLocale::German, QLocale::Germany));
    type(form, u"time_limit_s"_s, u"0,5"_s);
    const QJsonValue german = form.spec().value(u"time_limit_s"_s);
    type(form, u"time_limit_s"_s, u"0.25"_s);
    const QJsonValue withPoint = form.spec().value(u"time_limit_s"_s);
    QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates));
    type(form, u"time_limit_s"_s, u"1,000"_s); // Not a thousand, and not one.
    const qsizetype faults = form.faults().size();
    QLocale::setDefault(before);
    QCOMPARE(german, QJsonValue(0.5));
    QCOMPARE(withPoint, QJsonValue(0.25));
    QCOMPARE(faults, 1);
}

QTEST_MAIN(tst_SpecForm)
#include "tst_spec_form.moc"
