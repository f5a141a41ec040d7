// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/python/python_script.h"

#include "core/experiment/python/python_literal.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/spec.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QRegularExpression>

#include <optional>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class PythonScriptText
{
    Q_DECLARE_TR_FUNCTIONS(PythonScript)
};

constexpr auto licence = "# SPDX-License-Identifier: GPL-3.0-or-later"_L1;

/// Of the workload whose arguments stand at @p path.
QString taskPathOf(const QString &path)
{
    return path.section(u'.', 0, -2) % u".task"_s;
}

/// The names of all sources in @p folder, to choose from.
QString namesIn(const QString &folder)
{
    QStringList names = QDir(u":/python/"_s % folder).entryList({u"*.py"_s}, QDir::Files);
    names.replaceInStrings(QRegularExpression(u"\\.py$"_s), {});
    return names.join(u", "_s);
}

/// Without blank lines at both ends, and with two in a row at most.
QString joined(const QStringList &lines)
{
    static const QRegularExpression manyBlankLines(u"\n{4,}"_s);
    return lines.join(u'\n').trimmed().replace(manyBlankLines, u"\n\n\n"_s);
}

/// Joins the sources of one experiment; resources/python/README.md tells their notation.
class Joiner
{
public:
    explicit Joiner(const ExperimentSpec &spec) : m_spec(spec) {}

    Result<QString> join()
    {
        addSource({}, m_spec.kind(), u"kind"_s);
        if (m_error)
            return *m_error;
        return script();
    }

private:
    void addSource(const QString &folder, const QString &name, const QString &path);
    void addLine(const QString &line);
    void follow(const QString &directive);
    [[nodiscard]] bool holds(const QString &condition) const;
    [[nodiscard]] QJsonValue valueOf(const QString &path) const;
    [[nodiscard]] QString settingOf(const QRegularExpressionMatch &line) const;
    [[nodiscard]] QString withFunctions(QString line) const;
    [[nodiscard]] QString script() const;

    const ExperimentSpec &m_spec;
    std::optional<Error> m_error;
    QStringList m_sources; ///< Those that were read.
    QStringList m_imports;
    QStringList m_settings;
    QStringList m_body;
    QString m_docstring;
};

/// Reads the source of what stands at @p path of the spec, with all that it includes; each once.
void Joiner::addSource(const QString &folder, const QString &name, const QString &path)
{
    static const QRegularExpression conditional(u"^(.*?)\\s*#: if (.+)$"_s);
    const QString source = folder % name;
    if (m_sources.contains(source))
        return;
    m_sources.append(source);
    QFile file(u":/python/%1.py"_s.arg(source));
    if (!file.open(QIODevice::ReadOnly)) {
        m_error = invalidArgument(
            path, PythonScriptText::tr("%1 has no Python program").arg(foundText(name)),
            PythonScriptText::tr("allowed: %1").arg(namesIn(folder)));
        return;
    }
    QList<bool> blocks; // That are open: whether their lines are taken.
    for (const QString &line : QString::fromUtf8(file.readAll()).split(u'\n')) {
        const QString word = line.trimmed();
        const auto condition = conditional.match(line);
        if (word == u"#: end"_s)
            blocks.removeLast();
        else if (word == u"#: else"_s)
            blocks.last() = !blocks.last();
        else if (condition.hasMatch() && condition.capturedView(1).isEmpty())
            blocks.append(holds(condition.captured(2)));
        else if (blocks.contains(false) || line == licence)
            continue;
        else if (!condition.hasMatch())
            addLine(line);
        else if (holds(condition.captured(2)))
            addLine(condition.captured(1));
    }
    m_body.append({QString(), QString()});
}

void Joiner::addLine(const QString &line)
{
    static const QRegularExpression setting(
        u"^([A-Z][A-Z0-9_]* = )(.*?)(?:(  # .*?)?  #: ([a-z0-9_.]+))?$"_s);
    if (line.startsWith(u"#: "_s))
        follow(line.mid(3));
    else if (line.startsWith(u"import "_s) || line.startsWith(u"from "_s))
        m_imports.append(line);
    else if (line.startsWith(u"\"\"\""_s))
        m_docstring = line;
    else if (const auto match = setting.match(line); match.hasMatch())
        m_settings.append(settingOf(match));
    else
        m_body.append(withFunctions(line));
}

/// "include NAME", or "work BLOCK".
void Joiner::follow(const QString &directive)
{
    const QString word = directive.section(u' ', 0, 0);
    const QString name = directive.section(u' ', 1);
    Q_ASSERT(word == u"include"_s || word == u"work"_s);
    if (word == u"include"_s)
        addSource(u"shared/"_s, name, u"kind"_s);
    else if (const QString path = name % u".task"_s; !m_spec.text(path).isEmpty())
        addSource(u"workloads/"_s, m_spec.text(path), path);
}

/// "PATH": something stands there; "PATH VALUE…": one of these; "not …".
bool Joiner::holds(const QString &condition) const
{
    QStringList words = condition.split(u' ');
    const bool isNegated = words.first() == u"not"_s;
    if (isNegated)
        words.removeFirst();
    const QJsonValue value = valueOf(words.takeFirst());
    const QString text = value.isString() ? value.toString() : pythonLiteral(value);
    const bool isSo = words.isEmpty() ? !value.isUndefined() : words.contains(text);
    return isSo != isNegated;
}

/// With all arguments of a workload filled in.
QJsonValue Joiner::valueOf(const QString &path) const
{
    const QJsonValue value = m_spec.value(path);
    if (path.endsWith(u".args"_s))
        return filledArguments(m_spec.text(taskPathOf(path)), value.toObject());
    if (!path.endsWith(u".args_list"_s) || !value.isArray())
        return value;
    QJsonArray list;
    for (const QJsonValue &entry : value.toArray())
        list.append(filledArguments(m_spec.text(taskPathOf(path)), entry.toObject()));
    return list;
}

/// With the value of the experiment instead of that of the source.
QString Joiner::settingOf(const QRegularExpressionMatch &line) const
{
    const QString path = line.captured(4);
    return path.isEmpty()
               ? line.captured(0)
               : QString(line.captured(1) % pythonLiteral(valueOf(path)) % line.captured(3));
}

/// __tasks__ stands for the function of the workload at tasks.task.
QString Joiner::withFunctions(QString line) const
{
    static const QRegularExpression placeholder(u"__([a-z]+)__"_s);
    if (const auto match = placeholder.match(line); match.hasMatch()) {
        const QString task = m_spec.text(match.captured(1) % u".task"_s);
        if (!task.isEmpty())
            line.replace(match.captured(0), QString(task).replace(u'.', u'_'));
    }
    return line;
}

QString Joiner::script() const
{
    QStringList imports = m_imports;
    imports.removeDuplicates();
    imports.sort();
    QStringList settings = m_settings;
    settings.removeDuplicates();
    return u"#!/usr/bin/env python3\n"_s % licence % u"\n# Experiment "_s %
           pythonLiteral(m_spec.value(u"title"_s)) % u" of ProcLab, for Python 3.9 or later.\n"_s %
           m_docstring % u"\n\n"_s % imports.join(u'\n') % u"\n\n"_s % settings.join(u'\n') %
           u"\n\n\n"_s % joined(m_body) % u'\n';
}

} // namespace

Result<QString> pythonScript(const ExperimentSpec &spec)
{
    return Joiner(spec).join();
}

} // namespace proclab
