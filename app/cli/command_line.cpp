// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/command_line.h"

#include "core/base/nearest_name.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("CommandLine", text);
}

struct Option
{
    enum class Form { Flag, Value, Planned };

    QString name;
    Form form = Form::Flag;
    QString placeholder = {};
    QString help = {};
};

struct Command
{
    QString name;
    QString operand = {}; ///< What it takes one of, in brackets if it need not; empty: none.
    QString help = {};
    QList<Option> options = {};
    bool isPlanned = false;
    QString example = {}; ///< A call, without the program's name.
    QString note = {};    ///< A paragraph before the example.
};

QList<Command> commands()
{
    const Option asJson{u"--json"_s, Option::Form::Flag, {}, tr("As a JSON list")};
    const Option set{u"--set"_s, Option::Form::Value, u"KEY=VALUE"_s,
                     tr("Change a field first, such as tasks.count=8")};
    QList<Command> all = {
        {u"run"_s,
         u"SPEC|PRESET"_s,
         tr("Run an experiment"),
         {set,
          {u"--json"_s, Option::Form::Value, u"FILE|-"_s,
           tr("Write the result as JSON; -: to standard output")},
          {u"--csv"_s, Option::Form::Value, u"FILE|-"_s, tr("Write a line for each task")},
          {u"--trace"_s, Option::Form::Value, u"FILE|-"_s,
           tr("Write a trace for ui.perfetto.dev or chrome://tracing")},
          {u"--quiet"_s, Option::Form::Flag, {}, tr("No progress and no summary")},
          {u"--record"_s, Option::Form::Planned},
          {u"--save"_s, Option::Form::Planned},
          {u"--with-python"_s,
           Option::Form::Flag,
           {},
           tr("Run its Python program too, and compare")}},
         false,
         u"run pool --set pool.workers=2 --json result.json"_s},
        {u"check"_s,
         u"SPEC"_s,
         tr("Say what is wrong with an experiment"),
         {},
         false,
         u"check my.proclab.json"_s},
        {u"presets"_s, {}, tr("List the presets"), {asJson}, false, u"presets --json"_s},
        {u"workloads"_s,
         {},
         tr("List the workloads and their arguments"),
         {asJson},
         false,
         u"workloads --json"_s},
        {u"python"_s,
         u"SPEC|PRESET"_s,
         tr("Print an experiment as a Python program"),
         {set},
         false,
         u"python pool > pool.py && python3 pool.py"_s,
         tr("The program needs Python 3.9 and nothing else, and does the same work from\n"
            "the same seed. Run it from a file.\n")},
        {u"help"_s,
         u"[COMMAND|KIND]"_s,
         tr("Tell of a command or a kind of experiment"),
         {},
         false,
         u"help pool"_s},
    };
    for (const QString &name : {u"sweep"_s, u"monitor"_s, u"runs"_s, u"export"_s, u"info"_s})
        all.append({name, {}, {}, {}, true});
    return all;
}

Error usageError(const QString &subject, const QString &found, const QString &allowed)
{
    return invalidArgument(subject, found, allowed);
}

/// @p word is none of @p names.
Error unknownWord(const QString &word, const QString &found, const QStringList &names)
{
    const Error error = usageError(word.isEmpty() ? u"\"\""_s : word, found,
                                   tr("allowed: %1").arg(names.join(u", "_s)));
    return withSuggestion(error, word, names);
}

/// Reads the words behind a command.
class Reader
{
public:
    Reader(const Command &command, const QStringList &words) : m_command(command), m_words(words) {}

    Result<CommandLine> read()
    {
        m_line.command = m_command.name;
        for (m_at = 0; m_at < m_words.size(); ++m_at) {
            const QString word = m_words[m_at];
            if (!m_isOperandsOnly && word == u"--"_s)
                m_isOperandsOnly = true;
            else if (!m_isOperandsOnly && word.startsWith(u'-') && word != u"-"_s)
                readOption(word);
            else
                m_line.operands.append(word);
            if (m_error)
                return *m_error;
        }
        checkOperands();
        if (m_error)
            return *m_error;
        return m_line;
    }

private:
    void readOption(const QString &word)
    {
        if (word == u"--help"_s || word == u"-h"_s) {
            m_line.help = true;
            return;
        }
        const QString name = word.section(u'=', 0, 0);
        const auto option = std::find_if(m_command.options.begin(), m_command.options.end(),
                                         [&](const Option &one) { return one.name == name; });
        if (option == m_command.options.end()) {
            m_error = unknownWord(name, tr("unknown option"), allowedOptions());
        } else if (option->form == Option::Form::Planned) {
            m_error = usageError(name, tr("not available yet"), {});
        } else if (option->form == Option::Form::Flag) {
            if (word.contains(u'='))
                m_error = usageError(name, tr("takes no value"), {});
            m_line.options[name];
        } else if (word.contains(u'=')) {
            m_line.options[name].append(word.section(u'=', 1));
        } else if (m_at + 1 < m_words.size()) {
            m_line.options[name].append(m_words[++m_at]);
        } else {
            m_error = usageError(name, tr("a value is missing"),
                                 tr("needed: %1").arg(option->placeholder));
        }
    }

    void checkOperands()
    {
        if (m_line.help)
            return;
        const qsizetype most = m_command.operand.isEmpty() ? 0 : 1;
        const qsizetype needed = m_command.operand.startsWith(u'[') ? 0 : most;
        if (m_line.operands.size() < needed)
            m_error = usageError(m_command.name, tr("an operand is missing"),
                                 tr("needed: %1").arg(m_command.operand));
        else if (m_line.operands.size() > most)
            m_error = usageError(m_line.operands[most], tr("one operand too many"),
                                 tr("see proclab-cli %1 --help").arg(m_command.name));
    }

    [[nodiscard]] QStringList allowedOptions() const
    {
        QStringList names;
        for (const Option &option : m_command.options) {
            if (option.form != Option::Form::Planned)
                names.append(option.name);
        }
        names.append(u"--help"_s);
        return names;
    }

    const Command &m_command;
    const QStringList m_words;
    qsizetype m_at = 0;
    bool m_isOperandsOnly = false;
    CommandLine m_line;
    std::optional<Error> m_error;
};

QString row(const QString &name, const QString &help)
{
    return u"  %1 %2\n"_s.arg(name, -24).arg(help);
}

/// @p text in lines of at most 80 columns.
QString wrapped(const QString &text)
{
    constexpr qsizetype columns = 80;
    QString lines;
    qsizetype used = 0;
    for (const QString &word : text.split(u' ')) {
        const bool isNewLine = used + 1 + word.size() > columns;
        lines += used == 0 ? QString() : QString(isNewLine ? u'\n' : u' ');
        lines += word;
        used = (isNewLine || used == 0 ? 0 : used + 1) + word.size();
    }
    return lines;
}

QString commandHelp(const Command &command)
{
    QString text = tr("Usage: proclab-cli %1").arg(command.name);
    if (!command.operand.isEmpty())
        text += u' ' % command.operand;
    if (!command.options.isEmpty())
        text += tr(" [OPTION]…");
    text += u'\n' % command.help % u".\n\n"_s;
    for (const Option &option : command.options) {
        if (option.form != Option::Form::Planned)
            text +=
                row(option.placeholder.isEmpty() ? option.name
                                                 : QString(option.name % u' ' % option.placeholder),
                    option.help);
    }
    text += row(u"--help"_s, tr("Show this help"));
    if (command.operand.startsWith(u"SPEC"_s))
        text += tr("\nSPEC is an experiment file, or - for standard input; a word with a / or\n"
                   "an extension is a file.\n");
    if (!command.note.isEmpty())
        text += u'\n' % command.note;
    return text % tr("\nExample:\n  proclab-cli %1\n").arg(command.example);
}

} // namespace

QString CommandLine::value(const QString &option) const
{
    const QStringList values = options.value(option);
    return values.isEmpty() ? QString() : values.last();
}

Result<CommandLine> readCommandLine(const QStringList &arguments)
{
    if (arguments.isEmpty())
        return usageError(tr("command"), tr("missing"),
                          tr("allowed: %1").arg(commandNames().join(u", "_s)));
    QString first = arguments.first();
    if (first == u"--version"_s || first == u"-v"_s) {
        CommandLine line;
        line.version = true;
        return line;
    }
    if (first == u"--help"_s || first == u"-h"_s)
        first = u"help"_s;
    const QList<Command> all = commands();
    const auto command =
        std::find_if(all.begin(), all.end(), [&](const Command &one) { return one.name == first; });
    if (command == all.end() && first.startsWith(u'-'))
        return unknownWord(first, tr("unknown option"), {u"--help"_s, u"--version"_s});
    if (command == all.end())
        return unknownWord(first, tr("unknown command"), commandNames());
    if (command->isPlanned)
        return usageError(first, tr("not available yet"), {});
    return Reader(*command, arguments.mid(1)).read();
}

QStringList commandNames()
{
    QStringList names;
    for (const Command &command : commands()) {
        if (!command.isPlanned)
            names.append(command.name);
    }
    return names;
}

bool isPlanned(const QString &command)
{
    const QList<Command> all = commands();
    return std::any_of(all.begin(), all.end(),
                       [&](const Command &one) { return one.isPlanned && one.name == command; });
}

QString helpText(const QString &command)
{
    QString text = tr("Usage: proclab-cli COMMAND [OPTION]…\n"
                      "Runs experiments with real processes, without a window.\n\n");
    for (const Command &one : commands()) {
        if (one.name == command)
            return commandHelp(one);
        if (!one.isPlanned)
            text += row(one.operand.isEmpty() ? one.name : QString(one.name % u' ' % one.operand),
                        one.help);
    }
    text += row(u"--version"_s, tr("Show the version"));
    text += u"\n%1\n"_s.arg(
        wrapped(tr("Kinds of experiments: %1.").arg(availableKindNames().join(u", "_s))));
    text += tr("\nExit status: 0 all went well; 1 a task failed or a time limit was reached;\n"
               "2 bad usage or an invalid experiment; 3 the engine failed; 128+N ended by\n"
               "signal N.\n");
    return text;
}

} // namespace proclab::cli
