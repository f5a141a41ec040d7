// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/form/spec_form.h"

#include "core/experiment/spec/kind.h"
#include "ui/experiment/form/argument_fields.h"
#include "ui/experiment/form/field_editor.h"
#include "ui/shared/icon.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QToolButton>

#include <algorithm>
#include <chrono>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int formPadding = 16;
constexpr int rowSpacing = 8;
/// Up to here an experiment is checked well within a frame.
constexpr qsizetype longList = 1'000;
constexpr std::chrono::milliseconds typingPause{300};

QLabel *groupHead(const QString &text, QWidget *parent)
{
    auto *head = new QLabel(text.toUpper(), parent);
    QFont font = textFont(TextSize::Caption, QFont::DemiBold);
    font.setLetterSpacing(QFont::AbsoluteSpacing, 0.4);
    head->setFont(font);
    head->setProperty("tone", u"text3"_s);
    return head;
}

/// Hidden on purpose: a widget that waits for its first layout counts as hidden too.
bool isTakenAway(const QWidget *widget)
{
    return widget->isHidden() && widget->testAttribute(Qt::WA_WState_ExplicitShowHide);
}

} // namespace

SpecForm::SpecForm(QWidget *parent) : QWidget(parent)
{
    setProperty("role", u"panel"_s);
    auto *rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    m_pause.setSingleShot(true);
    m_pause.setInterval(typingPause);
    connect(&m_pause, &QTimer::timeout, this, &SpecForm::finishEdit);
    rebuild();
}

void SpecForm::setSpec(const ExperimentSpec &spec)
{
    dropEdit();
    const bool sameKind = spec.kind() == m_spec.kind();
    m_spec = spec;
    if (!sameKind)
        rebuild();
    for (const auto &[path, editor] : m_editors)
        editor->setValue(shownValue(m_spec, path));
    updateArguments();
    checkSpec();
}

void SpecForm::setRunningSpec(const std::optional<ExperimentSpec> &spec)
{
    m_running = spec;
    showNotes();
}

FieldEditor *SpecForm::editor(const QString &path) const
{
    const auto found = m_editors.find(path);
    return found == m_editors.end() ? nullptr : found->second;
}

void SpecForm::rebuild()
{
    // Not deleted at once: the signal of one of its editors may be on the way through here.
    if (m_body != nullptr) {
        m_body->hide();
        m_body->deleteLater();
    }
    m_sections.clear();
    m_editors.clear();
    m_arguments.clear();

    m_body = new QWidget(this);
    layout()->addWidget(m_body);
    m_bodyRows = new QVBoxLayout(m_body);
    m_bodyRows->setContentsMargins(0, 0, 0, 0);
    m_bodyRows->setSpacing(0);
    m_generalFault = new QLabel(m_body);
    m_generalFault->setProperty("tone", u"crash"_s);
    m_generalFault->setWordWrap(true);
    m_generalFault->setTextFormat(Qt::PlainText);
    m_generalFault->setContentsMargins(formPadding, 8, formPadding, 8);
    m_generalFault->hide();
    m_bodyRows->addWidget(m_generalFault);

    addFold();
    const Schema schema = m_spec.kindInfo() == nullptr ? Schema() : m_spec.kindInfo()->schema;
    for (const Field &field : schema)
        addField(field);
    auto *foldRow = new QHBoxLayout;
    foldRow->setContentsMargins(formPadding - 4, 8, formPadding, 8);
    foldRow->addWidget(m_fold);
    foldRow->addStretch(1);
    m_bodyRows->addLayout(foldRow);
    m_bodyRows->addWidget(m_advanced);
    m_bodyRows->addStretch(1);
    m_fold->setVisible(m_advancedRows->count() > 0);
    updateArguments();
    checkSpec();
}

QVBoxLayout *SpecForm::section(const QString &group, bool advanced)
{
    const QString key = (advanced ? u"+"_s : u"-"_s) + group;
    QVBoxLayout *&rows = m_sections[key];
    if (rows == nullptr) {
        auto *box = new QWidget(advanced ? m_advanced : m_body);
        box->setProperty("role", u"section"_s);
        box->setAttribute(Qt::WA_StyledBackground);
        rows = new QVBoxLayout(box);
        rows->setContentsMargins(formPadding, 12, formPadding, 12);
        rows->setSpacing(rowSpacing);
        rows->addWidget(groupHead(group, box));
        (advanced ? m_advancedRows : m_bodyRows)->addWidget(box);
    }
    return rows;
}

void SpecForm::addFold()
{
    m_advanced = new QWidget(m_body);
    m_advanced->hide();
    m_advancedRows = new QVBoxLayout(m_advanced);
    m_advancedRows->setContentsMargins(0, 0, 0, 0);
    m_advancedRows->setSpacing(0);

    m_fold = new QToolButton(m_body);
    m_fold->setProperty("role", u"fold"_s);
    m_fold->setText(tr("More settings"));
    m_fold->setToolTip(tr("Show or hide the fields that few experiments need"));
    m_fold->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_fold->setIcon(icon(u"chevron-right"_s));
    m_fold->setCheckable(true);
    m_fold->setFocusPolicy(Qt::StrongFocus);
    connect(m_fold, &QToolButton::toggled, this, [this](bool open) {
        m_fold->setIcon(icon(open ? u"chevron-down"_s : u"chevron-right"_s));
        m_advanced->setVisible(open);
    });
}

void SpecForm::addField(const Field &field)
{
    QVBoxLayout *rows = section(field.group, field.advanced);
    if (field.type != Field::Type::Arguments) {
        addEditor(field, rows);
        return;
    }
    ArgumentRows arguments;
    arguments.path = field.path;
    arguments.taskPath = field.path.left(field.path.lastIndexOf(u'.')) % u".task"_s;
    arguments.field = field;
    arguments.box = new QWidget(rows->parentWidget());
    auto *argumentRows = new QVBoxLayout(arguments.box);
    argumentRows->setContentsMargins(0, 0, 0, 0);
    argumentRows->setSpacing(rowSpacing);
    rows->addWidget(arguments.box);
    m_arguments.push_back(std::move(arguments));
}

void SpecForm::addEditor(const Field &field, QVBoxLayout *rows)
{
    FieldEditor *editor = makeFieldEditor(field, rows->parentWidget());
    rows->addWidget(editor);
    m_editors[field.path] = editor;
    editor->setValue(shownValue(m_spec, field.path));
    connect(editor, &FieldEditor::valueEdited, this, [this, editor] { takeEdit(editor); });
}

void SpecForm::updateArguments()
{
    for (ArgumentRows &rows : m_arguments) {
        if (rows.workload != m_spec.text(rows.taskPath))
            rebuildArguments(rows);
    }
    updateArgumentsList();
}

void SpecForm::rebuildArguments(ArgumentRows &rows)
{
    for (const QString &path : std::as_const(rows.editors)) {
        FieldEditor *editor = m_editors[path];
        m_editors.erase(path);
        editor->hide();
        editor->deleteLater();
    }
    rows.editors.clear();
    rows.workload = m_spec.text(rows.taskPath);
    auto *layout = static_cast<QVBoxLayout *>(rows.box->layout());
    const QList<Field> fields = argumentFields(rows.workload, rows.field);
    for (const Field &field : fields) {
        addEditor(field, layout);
        rows.editors << field.path;
    }
    rows.box->setVisible(!fields.isEmpty());
}

void SpecForm::updateArgumentsList()
{
    for (const auto &[path, editor] : m_editors) {
        if (editor->field().type != Field::Type::ArgumentsList)
            continue;
        const bool used = m_spec.value(path).isArray();
        editor->setVisible(used);
        const QString block = path.left(path.lastIndexOf(u'.') + 1);
        for (const ArgumentRows &rows : m_arguments) {
            if (rows.path.startsWith(block))
                rows.box->setVisible(!used && !rows.editors.isEmpty());
        }
    }
}

void SpecForm::takeEdit(FieldEditor *editor)
{
    if (m_edited != editor)
        finishEdit();
    m_edited = editor;
    if (hasLongLists())
        m_pause.start();
    else
        finishEdit();
}

void SpecForm::finishEdit()
{
    if (FieldEditor *editor = m_edited) {
        dropEdit();
        applyEdit(editor);
    }
}

void SpecForm::dropEdit()
{
    m_pause.stop();
    m_edited.clear();
}

bool SpecForm::hasLongLists() const
{
    return std::any_of(m_editors.cbegin(), m_editors.cend(), [this](const auto &row) {
        const Field::Type type = row.second->field().type;
        const bool isList = type == Field::Type::TextList || type == Field::Type::ArgumentsList;
        return isList && m_spec.value(row.first).toArray().size() > longList;
    });
}

void SpecForm::applyEdit(FieldEditor *editor)
{
    const Field field = editor->field();
    for (const ArgumentRows &rows : m_arguments) {
        if (rows.editors.contains(field.path)) {
            setArgument(rows, field.path.mid(rows.path.size() + 1), editor->value());
            checkSpec();
            Q_EMIT specChanged(m_spec);
            return;
        }
    }
    m_spec.set(field.path, editor->value());
    for (const ArgumentRows &rows : m_arguments) {
        if (rows.taskPath == field.path) // Another workload has other arguments.
            m_spec.set(rows.path, QJsonValue(QJsonValue::Undefined));
    }
    updateArguments();
    updateDerived(editor);
    checkSpec();
    Q_EMIT specChanged(m_spec);
}

void SpecForm::updateDerived(const FieldEditor *edited)
{
    for (const auto &[path, editor] : m_editors) {
        if (editor != edited && editor->field().derivedDefault && !m_spec.isSet(path))
            editor->setValue(shownValue(m_spec, path));
    }
}

void SpecForm::setArgument(const ArgumentRows &rows, const QString &name, const QJsonValue &value)
{
    QJsonObject arguments = m_spec.value(rows.path).toObject();
    if (value.isUndefined())
        arguments.remove(name);
    else
        arguments.insert(name, value);
    m_spec.set(rows.path, arguments);
}

void SpecForm::checkSpec()
{
    m_faults = m_spec.check();
    showNotes();
}

void SpecForm::showNotes()
{
    QStringList general;
    std::map<const FieldEditor *, QString> texts;
    for (const Error &fault : std::as_const(m_faults)) {
        const FieldEditor *editor = editorFor(fault);
        if (editor == nullptr) {
            general << errorText(fault);
            continue;
        }
        Error atField = fault;
        if (fault.subject == editor->field().path)
            atField.subject.clear(); // It stands at its field.
        texts.try_emplace(editor, errorText(atField));
        if (isAdvanced(editor))
            m_fold->setChecked(true);
    }
    for (const auto &[path, editor] : m_editors) {
        const auto text = texts.find(editor);
        if (text != texts.end())
            editor->showNote(FieldEditor::Note::Error, text->second);
        else if (m_running && shownValue(*m_running, path) != shownValue(m_spec, path))
            editor->showNote(FieldEditor::Note::Edited, tr("Applies to the next run."));
        else
            editor->showNote(FieldEditor::Note::None, {});
    }
    m_generalFault->setText(general.join(u'\n'));
    m_generalFault->setVisible(!general.isEmpty());
}

void SpecForm::focusFirstFault()
{
    for (const Error &fault : std::as_const(m_faults)) {
        if (const FieldEditor *editor = editorFor(fault)) {
            editor->control()->setFocus(Qt::OtherFocusReason);
            return;
        }
    }
}

QJsonValue SpecForm::shownValue(const ExperimentSpec &spec, const QString &path) const
{
    for (const ArgumentRows &rows : m_arguments) {
        if (!rows.editors.contains(path) && !path.startsWith(QString(rows.path % u'.')))
            continue;
        const QString name = path.mid(rows.path.size() + 1);
        const QJsonValue value = spec.value(rows.path).toObject().value(name);
        if (!value.isUndefined())
            return value;
        return argumentDefault(spec.text(rows.taskPath), name);
    }
    return spec.value(path);
}

FieldEditor *SpecForm::editorFor(const Error &fault) const
{
    QString path = fault.subject;
    while (!path.isEmpty()) {
        FieldEditor *found = editor(path);
        if (found != nullptr && !isTakenAway(found))
            return found;
        path = path.left(std::max(path.lastIndexOf(u'.'), qsizetype(0)));
    }
    return nullptr;
}

bool SpecForm::isAdvanced(const FieldEditor *editor) const
{
    return m_advanced->isAncestorOf(editor);
}

} // namespace proclab
