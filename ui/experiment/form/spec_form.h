// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/experiment/spec/field.h"
#include "core/experiment/spec/spec.h"

#include <QList>
#include <QPointer>
#include <QTimer>
#include <QWidget>

#include <map>
#include <optional>
#include <vector>

class QLabel;
class QToolButton;
class QVBoxLayout;

namespace proclab {

class FieldEditor;

/// A form for an experiment of any kind, made from the kind's schema: fields by group, those that
/// are seldom needed below a fold, the arguments of the chosen workload beside it. Every fault of
/// the experiment stands at its field.
class SpecForm final : public QWidget
{
    Q_OBJECT

public:
    explicit SpecForm(QWidget *parent = nullptr);

    [[nodiscard]] const ExperimentSpec &spec() const { return m_spec; }
    /// Shows @p spec, without specChanged().
    void setSpec(const ExperimentSpec &spec);
    /// The experiment that runs now: fields that differ from it say that they apply to the next
    /// run. nullopt: none.
    void setRunningSpec(const std::optional<ExperimentSpec> &spec);

    [[nodiscard]] const QList<Error> &faults() const { return m_faults; }
    /// Takes over at once what was typed last: in an experiment with long lists that waits for a
    /// pause in typing.
    void finishEdit();
    void focusFirstFault();

    /// The editor at @p path ("tasks.count", "tasks.args.limit"); null if there is none now.
    [[nodiscard]] FieldEditor *editor(const QString &path) const;

Q_SIGNALS:
    /// The user changed something; faults() are those of the new @p spec.
    void specChanged(const proclab::ExperimentSpec &spec);

private:
    /// The rows for the arguments of the workload that is chosen at taskPath.
    struct ArgumentRows
    {
        QString path;     ///< "tasks.args"
        QString taskPath; ///< "tasks.task"
        Field field;
        QWidget *box = nullptr;
        QString workload; ///< Whose rows stand there now.
        QStringList editors;
    };

    void rebuild();
    QVBoxLayout *section(const QString &group, bool advanced);
    void addField(const Field &field);
    void addFold();
    void addEditor(const Field &field, QVBoxLayout *rows);
    void updateArguments();
    void rebuildArguments(ArgumentRows &rows);
    void updateArgumentsList();
    void takeEdit(FieldEditor *editor);
    void dropEdit();
    void applyEdit(FieldEditor *editor);
    [[nodiscard]] bool hasLongLists() const;
    /// Shows anew what follows from other fields and was not set; not in @p edited itself.
    void updateDerived(const FieldEditor *edited);
    void setArgument(const ArgumentRows &rows, const QString &name, const QJsonValue &value);
    void checkSpec();
    void showNotes();
    [[nodiscard]] QJsonValue shownValue(const ExperimentSpec &spec, const QString &path) const;
    [[nodiscard]] FieldEditor *editorFor(const Error &fault) const;
    [[nodiscard]] bool isAdvanced(const FieldEditor *editor) const;

    ExperimentSpec m_spec;
    std::optional<ExperimentSpec> m_running;
    QList<Error> m_faults;
    QPointer<FieldEditor> m_edited; ///< Whose value is not in m_spec yet.
    QTimer m_pause;

    QWidget *m_body = nullptr; // Replaced when the kind changes.
    QVBoxLayout *m_bodyRows = nullptr;
    QLabel *m_generalFault = nullptr;
    QToolButton *m_fold = nullptr;
    QWidget *m_advanced = nullptr;
    QVBoxLayout *m_advancedRows = nullptr;
    std::map<QString, QVBoxLayout *> m_sections;
    std::map<QString, FieldEditor *> m_editors;
    std::vector<ArgumentRows> m_arguments;
};

} // namespace proclab
