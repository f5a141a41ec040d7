// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/field.h"

#include <QJsonValue>
#include <QWidget>

class QLabel;
class QVBoxLayout;

namespace proclab {

/// One row of a form: the label at the left, the control at the right, a message below. What it
/// edits is a Field; which control that needs follows from the field's type alone.
class FieldEditor : public QWidget
{
    Q_OBJECT

public:
    enum class Note {
        None,
        Edited, ///< Differs from what the run in progress uses.
        Error,
    };

    explicit FieldEditor(const Field &field, QWidget *parent = nullptr);

    [[nodiscard]] const Field &field() const { return m_field; }
    /// What stands in the control, right or wrong; Undefined: nothing, so that the default holds.
    [[nodiscard]] virtual QJsonValue value() const = 0;
    /// Shows @p value without valueEdited().
    virtual void setValue(const QJsonValue &value) = 0;

    void showNote(Note note, const QString &text);
    [[nodiscard]] Note note() const { return m_note; }
    [[nodiscard]] QString noteText() const;
    /// What takes the keyboard.
    [[nodiscard]] QWidget *control() const { return m_control; }

Q_SIGNALS:
    void valueEdited();

protected:
    /// Where the control stands: beside the label, below it over the whole width, or alone since it
    /// has its own text.
    enum class Place { Beside, Below, Alone };
    void placeControl(QWidget *control, Place place);
    void changeEvent(QEvent *event) override;

private:
    void updateNoteIcon();
    [[nodiscard]] QString toolTipText() const;

    const Field m_field;
    QWidget *m_control = nullptr;
    QVBoxLayout *m_rows;
    QWidget *m_noteRow = nullptr;
    QLabel *m_noteIcon = nullptr;
    QLabel *m_noteText = nullptr;
    Note m_note = Note::None;
};

/// The editor for @p field; null for Arguments, which the form itself takes apart.
[[nodiscard]] FieldEditor *makeFieldEditor(const Field &field, QWidget *parent);

/// How a number or text of an experiment is written in a form and in a sentence: "0.5", "auto".
[[nodiscard]] QString valueText(const QJsonValue &value);

} // namespace proclab
