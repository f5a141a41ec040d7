// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"
#include "ui/experiment/form/field_editor.h"
#include "ui/shared/combo_box.h"
#include "ui/shared/theme.h"
#include "ui/shared/unit_field.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QJsonObject>
#include <QLabel>
#include <QLocale>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalBlocker>

#include <algorithm>
#include <cmath>
#include <functional>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int fieldWidth = 120;
constexpr int widestField = 168;

QJsonValue undefined()
{
    return QJsonValue(QJsonValue::Undefined);
}

/// Integers, numbers and "auto", typed into a line with the unit in it.
class NumberEditor final : public FieldEditor
{
public:
    NumberEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_line(new UnitField(this))
    {
        m_line->setUnit(field.unit);
        m_line->setFixedWidth(fieldWidth);
        m_line->setPlaceholderText(field.defaultValue.isNull() ? tr("none")
                                                               : valueText(field.defaultValue));
        connect(m_line, &QLineEdit::textEdited, this, &FieldEditor::valueEdited);
        connect(m_line, &QLineEdit::editingFinished, this, &NumberEditor::showDefaultIfEmpty);
        connect(m_line, &UnitField::stepRequested, this, &NumberEditor::step);
        placeControl(m_line, Place::Beside);
    }

    QJsonValue value() const override
    {
        QString text = m_line->text();
        for (const QChar separator : {QChar(u' '), QChar(0x00A0), QChar(0x202F)})
            text.remove(separator);
        if (text.isEmpty())
            return undefined();
        // A point always counts; "0,5" does where people write numbers so.
        if (const QString point = QLocale().decimalPoint();
            !text.contains(u'.') && text.count(point) == 1)
            text.replace(point, u"."_s);
        bool isNumber = false;
        const qint64 integer = text.toLongLong(&isNumber);
        if (isNumber)
            return integer;
        const double number = text.toDouble(&isNumber);
        if (isNumber && std::isfinite(number))
            return number;
        return text;
    }

    void setValue(const QJsonValue &value) override { m_line->setText(valueText(value)); }

private:
    void showDefaultIfEmpty()
    {
        if (m_line->text().isEmpty())
            setValue(field().defaultValue);
    }

    void step(int steps)
    {
        const QJsonValue now = value().isDouble() ? value() : field().defaultValue;
        double number = now.toDouble(field().minimum);
        double width = 1;
        if (field().type == Field::Type::Number && std::abs(number) < 10)
            width = 0.1;
        number = std::round(number / width + steps) * width;
        if (field().maximum > field().minimum)
            number = std::clamp(number, field().minimum, field().maximum);
        m_line->setText(QString::number(number, 'g', 12));
        Q_EMIT valueEdited();
    }

    UnitField *m_line;
};

/// One of a few words.
class ChoiceEditor final : public FieldEditor
{
public:
    ChoiceEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_combo(new ComboBox(this))
    {
        for (const QString &choice : field.choices)
            m_combo->addItem(choice, choice);
        m_combo->setFixedWidth(std::clamp(m_combo->sizeHint().width(), fieldWidth, widestField));
        connect(m_combo, &QComboBox::currentIndexChanged, this, &FieldEditor::valueEdited);
        placeControl(m_combo, Place::Beside);
    }

    QJsonValue value() const override { return m_combo->currentData().toString(); }

    void setValue(const QJsonValue &value) override
    {
        const QSignalBlocker blocker(m_combo);
        int index = m_combo->findData(value.toString());
        if (index < 0 && !value.isUndefined() && !value.isNull()) {
            // From a file: shown as it stands, with its fault.
            m_combo->addItem(valueText(value), valueText(value));
            index = m_combo->count() - 1;
        }
        m_combo->setCurrentIndex(index);
    }

private:
    ComboBox *m_combo;
};

class FlagEditor final : public FieldEditor
{
public:
    FlagEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_box(new QCheckBox(field.label, this))
    {
        connect(m_box, &QCheckBox::toggled, this, &FieldEditor::valueEdited);
        placeControl(m_box, Place::Alone);
    }

    QJsonValue value() const override { return m_box->isChecked(); }

    void setValue(const QJsonValue &value) override
    {
        const QSignalBlocker blocker(m_box);
        m_box->setChecked(value.toBool());
    }

private:
    QCheckBox *m_box;
};

class TextEditor final : public FieldEditor
{
public:
    TextEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_line(new UnitField(this))
    {
        m_line->setUnit(field.unit);
        m_line->setFixedWidth(fieldWidth);
        m_line->setPlaceholderText(valueText(field.defaultValue));
        connect(m_line, &QLineEdit::textEdited, this, &FieldEditor::valueEdited);
        placeControl(m_line, Place::Beside);
    }

    QJsonValue value() const override
    {
        const bool mayBeAbsent = field().defaultValue.isNull();
        return m_line->text().isEmpty() && mayBeAbsent ? undefined() : QJsonValue(m_line->text());
    }

    void setValue(const QJsonValue &value) override { m_line->setText(valueText(value)); }

private:
    UnitField *m_line;
};

/// Takes no paste that makes it longer than it is quick with: a line of a million characters is
/// laid out for a minute.
class BoundedTextEdit final : public QPlainTextEdit
{
public:
    static constexpr qsizetype mostCharacters = 16'384;

    using QPlainTextEdit::QPlainTextEdit;

    std::function<void(qsizetype characters)> refused; ///< A paste or drop of so many.

protected:
    void insertFromMimeData(const QMimeData *source) override
    {
        const qsizetype pasted = source->text().size();
        if (pasted > mostCharacters - document()->characterCount())
            refused(pasted);
        else
            QPlainTextEdit::insertFromMimeData(source);
    }
};

/// Texts, one a line. Those that are too long for that are told as a count, which stands for them
/// until something is typed.
class TextListEditor final : public FieldEditor
{
public:
    TextListEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_lines(new BoundedTextEdit(this))
    {
        m_lines->setFixedHeight(72);
        m_lines->setTabChangesFocus(true);
        m_lines->setPlaceholderText(tr("One a line"));
        m_lines->refused = [this](qsizetype pasted) {
            // Until the next edit.
            showNote(
                Note::Error,
                tr("Not pasted: %1 characters; allowed: at most %2 here, more in a file")
                    .arg(groupedNumber(pasted), groupedNumber(BoundedTextEdit::mostCharacters)));
        };
        connect(m_lines, &QPlainTextEdit::textChanged, this, [this] {
            setLongList(undefined());
            Q_EMIT valueEdited();
        });
        placeControl(m_lines, Place::Below);
    }

    QJsonValue value() const override
    {
        const QString text = m_lines->toPlainText();
        if (text.isEmpty())
            return m_longList;
        return QJsonArray::fromStringList(text.split(u'\n'));
    }

    void setValue(const QJsonValue &value) override
    {
        const QSignalBlocker blocker(m_lines);
        QStringList lines;
        qsizetype characters = 0;
        const QJsonArray texts = value.toArray();
        for (const QJsonValue &text : texts) {
            lines << valueText(text);
            characters += lines.last().size() + 1;
            if (characters > BoundedTextEdit::mostCharacters)
                break;
        }
        const bool isLong = characters > BoundedTextEdit::mostCharacters;
        setLongList(isLong ? value : undefined());
        m_lines->setPlainText(isLong ? QString() : lines.join(u'\n'));
    }

private:
    void setLongList(const QJsonValue &value)
    {
        m_longList = value;
        const qsizetype size = value.toArray().size();
        m_lines->setPlaceholderText(size == 0
                                        ? tr("One a line")
                                        : tr("%1 from the file; what is typed here replaces them")
                                              .arg(groupedNumber(size)));
    }

    BoundedTextEdit *m_lines;
    QJsonValue m_longList = undefined();
};

/// Lines that stand for a value: a text as it is, or variables as NAME=VALUE.
class LinesEditor : public FieldEditor
{
public:
    LinesEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_lines(new BoundedTextEdit(this))
    {
        m_lines->setFixedHeight(56);
        m_lines->setTabChangesFocus(true);
        m_lines->refused = [this](qsizetype pasted) {
            showNote(
                Note::Error,
                tr("Not pasted: %1 characters; allowed: at most %2 here, more in a file")
                    .arg(groupedNumber(pasted), groupedNumber(BoundedTextEdit::mostCharacters)));
        };
        connect(m_lines, &QPlainTextEdit::textChanged, this, &FieldEditor::valueEdited);
        placeControl(m_lines, Place::Below);
    }

    QJsonValue value() const override { return m_lines->toPlainText(); }
    void setValue(const QJsonValue &value) override { setLines(value.toString()); }

protected:
    [[nodiscard]] QString lines() const { return m_lines->toPlainText(); }
    void setLines(const QString &text)
    {
        const QSignalBlocker blocker(m_lines);
        m_lines->setPlainText(text);
    }
    void setHint(const QString &text) { m_lines->setPlaceholderText(text); }

private:
    BoundedTextEdit *m_lines;
};

class TextMapEditor final : public LinesEditor
{
public:
    TextMapEditor(const Field &field, QWidget *parent) : LinesEditor(field, parent)
    {
        setHint(tr("NAME=VALUE, one a line"));
    }

    /// A name alone has no value, which the check tells.
    QJsonValue value() const override
    {
        QJsonObject map;
        for (const QString &line : lines().split(u'\n', Qt::SkipEmptyParts)) {
            const qsizetype equals = line.indexOf(u'=');
            map[line.left(equals)] =
                equals < 0 ? QJsonValue() : QJsonValue(line.sliced(equals + 1));
        }
        return map;
    }

    void setValue(const QJsonValue &value) override
    {
        QStringList all;
        const QJsonObject map = value.toObject();
        for (auto entry = map.begin(); entry != map.end(); ++entry)
            all << entry.key() % u'=' % valueText(*entry);
        setLines(all.join(u'\n'));
    }
};

/// The workloads by their titles; "none" where the field may stay absent.
class WorkloadEditor final : public FieldEditor
{
public:
    WorkloadEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_combo(new ComboBox(this))
    {
        if (field.defaultValue.isNull() || field.defaultValue.isUndefined())
            m_combo->addItem(tr("none"), QString());
        for (const runtime::WorkloadInfo &workload : runtime::workloads())
            addWorkload(workload);
        m_combo->setFixedWidth(widestField);
        connect(m_combo, &QComboBox::currentIndexChanged, this, &FieldEditor::valueEdited);
        placeControl(m_combo, Place::Beside);
    }

    QJsonValue value() const override
    {
        const QString name = m_combo->currentData().toString();
        return name.isEmpty() ? undefined() : QJsonValue(name);
    }

    void setValue(const QJsonValue &value) override
    {
        const QSignalBlocker blocker(m_combo);
        int index = m_combo->findData(value.toString());
        if (index < 0) {
            m_combo->addItem(valueText(value), valueText(value));
            index = m_combo->count() - 1;
        }
        m_combo->setCurrentIndex(index);
    }

private:
    void addWorkload(const runtime::WorkloadInfo &workload)
    {
        const QString title =
            QCoreApplication::translate("Workload", std::string(workload.title).c_str());
        m_combo->addItem(title, QString::fromUtf8(workload.name));
        const QString description =
            QCoreApplication::translate("Workload", std::string(workload.description).c_str());
        m_combo->setItemData(
            m_combo->count() - 1,
            QString(u"<qt><b>"_s % QString::fromUtf8(workload.name).toHtmlEscaped() %
                    u"</b><br>"_s % description.toHtmlEscaped() % u"</qt>"_s),
            Qt::ToolTipRole);
    }

    ComboBox *m_combo;
};

/// Arguments that differ from task to task come from a file: shown as a count, with the way back to
/// one set.
class ArgumentsListEditor final : public FieldEditor
{
public:
    ArgumentsListEditor(const Field &field, QWidget *parent)
        : FieldEditor(field, parent)
        , m_text(new QLabel)
        , m_button(new QPushButton)
    {
        auto *box = new QWidget(this);
        auto *column = new QVBoxLayout(box);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(4);
        m_text->setWordWrap(true);
        m_text->setProperty("tone", u"text2"_s);
        m_button->setText(tr("Use one set for all"));
        m_button->setProperty("role", u"small"_s);
        m_button->setFont(textFont(TextSize::Small));
        column->addWidget(m_text);
        column->addWidget(m_button, 0, Qt::AlignLeft);
        box->setFocusProxy(m_button);
        connect(m_button, &QPushButton::clicked, this, [this] {
            m_value = undefined();
            Q_EMIT valueEdited();
        });
        placeControl(box, Place::Alone);
    }

    QJsonValue value() const override { return m_value; }

    void setValue(const QJsonValue &value) override
    {
        m_value = value;
        const qsizetype count = value.toArray().size();
        m_text->setText(count == 1
                            ? tr("1 task (from the file)")
                            : tr("%1 different tasks (from the file)").arg(groupedNumber(count)));
    }

private:
    QJsonValue m_value = undefined();
    QLabel *m_text;
    QPushButton *m_button;
};

} // namespace

FieldEditor *makeFieldEditor(const Field &field, QWidget *parent)
{
    switch (field.type) {
    case Field::Type::Integer:
    case Field::Type::Number:
    case Field::Type::IntegerOrAuto:
        return new NumberEditor(field, parent);
    case Field::Type::Flag:
        return new FlagEditor(field, parent);
    case Field::Type::Choice:
        return new ChoiceEditor(field, parent);
    case Field::Type::Text:
        return field.manyLines ? static_cast<FieldEditor *>(new LinesEditor(field, parent))
                               : new TextEditor(field, parent);
    case Field::Type::TextMap:
        return new TextMapEditor(field, parent);
    case Field::Type::TextList:
        return new TextListEditor(field, parent);
    case Field::Type::Workload:
        return new WorkloadEditor(field, parent);
    case Field::Type::ArgumentsList:
        return new ArgumentsListEditor(field, parent);
    case Field::Type::Arguments:
        return nullptr;
    }
    return nullptr;
}

} // namespace proclab
