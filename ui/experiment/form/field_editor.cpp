// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/form/field_editor.h"

#include "ui/shared/icon.h"
#include "ui/shared/style_sheet.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QEvent>
#include <QLabel>
#include <QLocale>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

bool isNumeric(Field::Type type)
{
    return type == Field::Type::Integer || type == Field::Type::Number ||
           type == Field::Type::IntegerOrAuto;
}

} // namespace

FieldEditor::FieldEditor(const Field &field, QWidget *parent)
    : QWidget(parent)
    , m_field(field)
    , m_rows(new QVBoxLayout(this))
{
    m_rows->setContentsMargins(0, 0, 0, 0);
    m_rows->setSpacing(4);
}

void FieldEditor::placeControl(QWidget *control, Place place)
{
    m_control = control;
    control->setAccessibleName(m_field.label);
    control->setAccessibleDescription(m_field.help);
    setToolTip(toolTipText());
    if (place == Place::Alone) {
        m_rows->addWidget(control);
        return;
    }
    auto *label = new QLabel(m_field.label, this);
    label->setTextFormat(Qt::PlainText);
    label->setProperty("tone", u"text2"_s);
    label->setWordWrap(true);
    label->setBuddy(control);
    if (place == Place::Below) {
        m_rows->addWidget(label);
        m_rows->addWidget(control);
        return;
    }
    auto *row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(label, 1);
    row->addWidget(control);
    m_rows->addLayout(row);
}

void FieldEditor::showNote(Note note, const QString &text)
{
    if (note == m_note && text == noteText())
        return;
    m_note = note;
    const QString state = note == Note::Error    ? u"error"_s
                          : note == Note::Edited ? u"edited"_s
                                                 : QString();
    setStyleProperty(m_control, "state", state);
    if (m_noteRow == nullptr && !text.isEmpty()) {
        m_noteRow = new QWidget(this);
        auto *row = new QHBoxLayout(m_noteRow);
        row->setContentsMargins(0, 0, 0, 0);
        row->setSpacing(6);
        m_noteIcon = new QLabel(m_noteRow);
        m_noteText = new QLabel(m_noteRow);
        m_noteText->setFont(textFont(TextSize::Caption));
        m_noteText->setTextFormat(Qt::PlainText);
        m_noteText->setWordWrap(true);
        row->addWidget(m_noteIcon, 0, Qt::AlignTop);
        row->addWidget(m_noteText, 1);
        m_rows->addWidget(m_noteRow);
    }
    if (m_noteRow == nullptr)
        return;
    m_noteText->setText(text);
    setStyleProperty(m_noteText, "tone", note == Note::Error ? u"crash"_s : u"text3"_s);
    m_noteRow->setVisible(!text.isEmpty());
    m_control->setAccessibleDescription(text.isEmpty() ? m_field.help : text);
    updateNoteIcon();
}

QString FieldEditor::noteText() const
{
    return m_noteText == nullptr ? QString() : m_noteText->text();
}

void FieldEditor::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        updateNoteIcon();
    QWidget::changeEvent(event);
}

void FieldEditor::updateNoteIcon()
{
    if (m_noteIcon == nullptr)
        return;
    const bool error = m_note == Note::Error;
    m_noteIcon->setPixmap(iconPixmap(error ? u"error"_s : u"info"_s,
                                     error ? IconTone::Crash : IconTone::Text3, 14,
                                     devicePixelRatioF()));
}

QString FieldEditor::toolTipText() const
{
    QStringList lines;
    if (!m_field.help.isEmpty())
        lines << m_field.help;
    QString facts;
    if (isNumeric(m_field.type) && m_field.maximum > m_field.minimum)
        facts = tr("%1 to %2").arg(valueText(m_field.minimum), valueText(m_field.maximum));
    if (!m_field.defaultValue.isNull() && !m_field.defaultValue.isUndefined()) {
        const QString standard = tr("default %1").arg(valueText(m_field.defaultValue));
        facts += facts.isEmpty() ? standard : QString(u", "_s % standard);
    }
    if (!facts.isEmpty())
        lines << facts;
    lines << m_field.path;
    // Rich text, so that a long help is wrapped.
    for (QString &line : lines)
        line = line.toHtmlEscaped();
    return u"<qt>"_s % lines.join(u"<br>"_s) % u"</qt>"_s;
}

QString valueText(const QJsonValue &value)
{
    switch (value.type()) {
    case QJsonValue::Bool:
        return value.toBool() ? FieldEditor::tr("on") : FieldEditor::tr("off");
    case QJsonValue::Double: {
        const double number = value.toDouble();
        const qint64 integer = value.toInteger();
        if (static_cast<double>(integer) == number)
            return QString::number(integer);
        return QString::number(number, 'g', QLocale::FloatingPointShortest);
    }
    case QJsonValue::String:
        return value.toString();
    default:
        return {};
    }
}

} // namespace proclab
