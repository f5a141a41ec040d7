// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/command_line.h"

#include "core/base/nearest_name.h"
#include "core/experiment/spec/kind.h"
#include "ui/shell/pages.h"

#include <QCommandLineParser>
#include <QCoreApplication>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int usageError = 2;
constexpr int largestSide = 16384;
constexpr double longestWait = 24 * 3600;

QString tr(const char *text)
{
    return QCoreApplication::translate("CommandLine", text);
}

/// What is wrong with a command line, ready to print.
struct Fault
{
    QStringList lines;
};

using MaybeFault = std::optional<Fault>;

struct Options
{
    QCommandLineOption page{u"page"_s, tr("Show the page <name>: %1."), u"name"_s};
    QCommandLineOption preset{u"preset"_s, tr("Show the preset <name>."), u"name"_s};
    QCommandLineOption run{u"run"_s,
                           tr("Start what the command line names, else the page's first preset.")};
    QCommandLineOption theme{u"theme"_s, tr("dark, light or system."), u"theme"_s};
    QCommandLineOption size{u"size"_s, tr("Size of the window in pixels, such as 1440x900."),
                            u"WxH"_s};
    QCommandLineOption screenshot{
        u"screenshot"_s, tr("Write a picture of the window to <file> (PNG), end a run, and exit."),
        u"file"_s};
    QCommandLineOption after{u"after"_s,
                             tr("With --screenshot: wait so long before the picture is taken."),
                             u"seconds"_s};
    QCommandLineOption help{{u"h"_s, u"help"_s}, tr("Show this help.")};
    QCommandLineOption version{{u"v"_s, u"version"_s}, tr("Show the version.")};

    [[nodiscard]] QList<QCommandLineOption> all() const
    {
        return {page, preset, run, theme, size, screenshot, after, help, version};
    }
};

QStringList pageNames()
{
    QStringList names;
    const QList<PageInfo> rows = pages();
    for (const PageInfo &row : rows)
        names << row.name;
    return names;
}

/// @p line says that @p word is none of @p names.
Fault unknownName(const QString &line, const QString &word, const QStringList &names)
{
    const QString suggestion = suggestionText(word, names);
    return {{suggestion.isEmpty() ? line : QString(line % u"; " % suggestion)}};
}

/// What the parser did not take, such as an unknown option.
Fault unreadable(const QCommandLineParser &parser, const Options &options)
{
    QString text = parser.errorText();
    if (text.endsWith(u'.'))
        text.chop(1);
    QStringList names;
    for (const QCommandLineOption &option : options.all())
        names << u"--"_s + option.names().last();
    return unknownName(text, u"--"_s + parser.unknownOptionNames().value(0), names);
}

void addOptions(QCommandLineParser &parser, Options &options)
{
    parser.setApplicationDescription(tr("An interactive lab for multiprocessing."));
    options.page.setDescription(options.page.description().arg(pageNames().join(u", "_s)));
    parser.addOptions(options.all());
    parser.addPositionalArgument(u"file"_s, tr("An experiment (*.proclab.json) to show."),
                                 u"[FILE]"_s);
}

MaybeFault readLook(const QCommandLineParser &parser, const Options &options, LabOptions &result)
{
    if (parser.isSet(options.theme)) {
        const QString name = parser.value(options.theme);
        if (name == u"dark"_s)
            result.theme = Theme::Mode::Dark;
        else if (name == u"light"_s)
            result.theme = Theme::Mode::Light;
        else if (name == u"system"_s)
            result.theme = Theme::Mode::System;
        else
            return unknownName(tr("--theme: %1 is not one of dark, light, system").arg(name), name,
                               {u"dark"_s, u"light"_s, u"system"_s});
    }
    if (parser.isSet(options.size)) {
        const QString text = parser.value(options.size);
        const QStringList sides = text.split(u'x');
        bool widthOk = false;
        bool heightOk = false;
        const QSize size(sides.value(0).toInt(&widthOk), sides.value(1).toInt(&heightOk));
        const bool inRange = size.width() >= 1 && size.width() <= largestSide &&
                             size.height() >= 1 && size.height() <= largestSide;
        if (sides.size() != 2 || !widthOk || !heightOk || !inRange)
            return Fault{{tr("--size: %1 is not a size such as 1440x900").arg(text)}};
        result.size = size;
    }
    return {};
}

MaybeFault readScreenshot(const QCommandLineParser &parser, const Options &options,
                          LabOptions &result)
{
    result.screenshot = parser.value(options.screenshot);
    if (parser.isSet(options.screenshot) && result.screenshot.isEmpty())
        return Fault{{tr("--screenshot: the name of the file is missing")}};
    if (!parser.isSet(options.after))
        return {};
    if (!parser.isSet(options.screenshot))
        return Fault{{tr("--after needs --screenshot")}};
    const QString text = parser.value(options.after);
    bool isNumber = false;
    const double seconds = text.toDouble(&isNumber);
    if (!isNumber || !std::isfinite(seconds) || seconds < 0 || seconds > longestWait)
        return Fault{{tr("--after: %1 is not a number of seconds from 0 to 86400").arg(text)}};
    result.screenshotAfter = std::chrono::milliseconds(std::llround(seconds * 1000));
    return {};
}

MaybeFault readFile(const QString &fileName, LabOptions &result)
{
    if (fileName.endsWith(u".proclab-run"_s))
        return Fault{{tr("%1: recordings cannot be opened yet").arg(fileName)}};
    QList<Error> faults;
    const auto spec = ExperimentSpec::load(fileName, &faults);
    if (spec) {
        result.spec = *spec;
    } else if (result.screenshot.isEmpty()) {
        result.faultyFile = fileName;
    } else {
        Fault fault;
        for (const Error &error : std::as_const(faults))
            fault.lines << errorText(error);
        return fault;
    }
    return {};
}

/// What is named decides on the page; a page that is named beside it must be the same.
MaybeFault readSubject(const QCommandLineParser &parser, const Options &options, LabOptions &result)
{
    const QStringList files = parser.positionalArguments();
    if (files.size() > 1)
        return Fault{{tr("%1: only one file can be opened").arg(files[1])}};
    if (!files.isEmpty() && parser.isSet(options.preset))
        return Fault{{tr("--preset and a file exclude each other")}};
    if (!files.isEmpty()) {
        if (MaybeFault fault = readFile(files.first(), result))
            return fault;
    }
    if (parser.isSet(options.preset)) {
        result.preset = findPreset(parser.value(options.preset));
        if (!result.preset)
            return unknownName(
                tr("--preset: there is no preset %1").arg(parser.value(options.preset)),
                parser.value(options.preset), presetNames());
    }
    const QString kind = result.preset ? result.preset->spec.kind()
                         : result.spec ? result.spec->kind()
                                       : QString();
    const QString ownPage = kind.isEmpty() ? QString() : pageOfKind(kind);
    result.page = parser.isSet(options.page) ? parser.value(options.page)
                  : ownPage.isEmpty()        ? pageOf(usualKind())
                                             : ownPage;
    if (!pageNames().contains(result.page))
        return unknownName(tr("--page: there is no page %1").arg(result.page), result.page,
                           pageNames());
    if (!ownPage.isEmpty() && ownPage != result.page)
        return Fault{{tr("--page: an experiment of the kind %1 is on the page %2, not on %3")
                          .arg(kind, ownPage, result.page)}};
    return {};
}

MaybeFault readRun(const QCommandLineParser &parser, const Options &options, LabOptions &result)
{
    result.run = parser.isSet(options.run);
    const Kind *kind = result.preset ? result.preset->spec.kindInfo()
                       : result.spec ? result.spec->kindInfo()
                                     : findKind(result.page);
    if (result.run && (kind == nullptr || !kind->isAvailable()))
        return Fault{{tr("--run: the page %1 has no experiment to run").arg(result.page)}};
    return {};
}

} // namespace

CommandLine readCommandLine(const QStringList &arguments)
{
    QCommandLineParser parser;
    Options options;
    addOptions(parser, options);
    CommandLine line;
    if (!parser.parse(arguments)) {
        line.errorLines = unreadable(parser, options).lines;
        line.exitStatus = usageError;
        return line;
    }
    if (parser.isSet(options.help)) {
        line.output = parser.helpText();
        return line;
    }
    if (parser.isSet(options.version)) {
        line.output = u"proclab %1\n"_s.arg(QCoreApplication::applicationVersion());
        return line;
    }
    LabOptions result;
    MaybeFault fault = readLook(parser, options, result);
    if (!fault)
        fault = readScreenshot(parser, options, result);
    if (!fault)
        fault = readSubject(parser, options, result);
    if (!fault)
        fault = readRun(parser, options, result);
    if (fault) {
        line.errorLines = fault->lines;
        line.exitStatus = usageError;
        return line;
    }
    line.options = std::move(result);
    return line;
}

} // namespace proclab
