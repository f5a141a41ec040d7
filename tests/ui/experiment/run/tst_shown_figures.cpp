// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/kinds/executor/executor_kind.h"
#include "core/experiment/kinds/executor/executor_state.h"
#include "core/experiment/kinds/fork/fork_kind.h"
#include "core/experiment/kinds/fork/fork_state.h"
#include "core/experiment/kinds/pipe/pipe_state.h"
#include "core/experiment/kinds/process/process_kind.h"
#include "core/experiment/kinds/process/process_state.h"
#include "core/experiment/kinds/program/program_kind.h"
#include "core/experiment/kinds/program/program_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/run_means.h"
#include "core/experiment/run/run_status.h"
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/own_settings.h"
#include "tests/support/painted_texts.h"
#include "tests/support/preset_runs.h"
#include "tests/support/result_files.h"
#include "tests/support/run_to_end.h"
#include "ui/charts/line_chart.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/experiment/run/run_view.h"
#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/stage/process_stage.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/banner.h"
#include "ui/shared/theme.h"
#include "ui/shell/run_progress.h"
#include "ui/shell/status_line.h"

#include <QApplication>
#include <QBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

/// What a place says of a quantity: a cell of the table of quantities and places.
struct Told
{
    std::string_view quantity;
    std::string_view place;
    QString expected;  ///< The figure of the core, in the form of that place.
    QStringList shown; ///< What stands there; one of it is the figure.
};

/// What must have been compared in a run that is long enough for it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 24> expectedCells{{
    {"done", "stage"},           {"done", "screen reader"},   {"done", "top bar"},
    {"done", "summary"},         {"done by process", "card"}, {"done by process", "tables"},
    {"queue or value", "stage"}, {"queue or value", "chart"}, {"queue or value", "copied table"},
    {"rate", "chart"},           {"rate", "summary"},         {"rate", "chart's mean"},
    {"CPU now", "card"},         {"CPU now", "chart"},        {"CPU time", "card"},
    {"ready", "card"},           {"state", "card"},           {"PID", "card"},
    {"PID", "timeline"},         {"elapsed", "top bar"},      {"elapsed", "summary"},
    {"instant", "timeline"},     {"events", "status line"},   {"events", "tables"},
}};

QString grouped(quint64 number)
{
    return groupedNumber(static_cast<qint64>(number));
}

QString latin(std::string_view text)
{
    return QString::fromLatin1(text.data(), static_cast<qsizetype>(text.size()));
}

QString brief(quint64 number)
{
    return shortNumber(static_cast<double>(number));
}

QString percent(double number)
{
    return u"%1\u00A0%"_s.arg(std::lround(number));
}

/// A card of the stage: its head, its facts by name, and the rest.
struct Card
{
    QStringList head;
    QHash<QString, QString> facts;
    QStringList rest;
};

Card cardIn(const QList<test::PaintedText> &texts, const QRect &rect)
{
    constexpr double headHeight = 30;
    constexpr int lowestWhole = 84; // A lower one says less.
    const QStringList names{u"CPU"_s, u"Last"_s, u"Ready"_s, u"Private"_s};
    Card card;
    if (rect.height() < lowestWhole)
        return card;
    QList<const test::PaintedText *> left;
    const QList<test::PaintedText> own = test::textsIn(texts, rect);
    for (const test::PaintedText &text : own) {
        if (text.at.y() < rect.top() + headHeight)
            card.head.append(text.text);
        else
            left.append(&text);
    }
    for (const QString &name : names) {
        const auto label = std::find_if(left.begin(), left.end(),
                                        [&](const auto *text) { return text->text == name; });
        if (label == left.end())
            continue;
        const test::PaintedText *value = nullptr; // The next at its right.
        for (const test::PaintedText *text : std::as_const(left)) {
            const bool isBeside =
                std::abs(text->at.y() - (*label)->at.y()) < 0.01 && text->at.x() > (*label)->at.x();
            if (isBeside && (!value || text->at.x() < value->at.x()))
                value = text;
        }
        const test::PaintedText *const found = *label;
        left.removeOne(found);
        if (value) {
            card.facts[name] = value->text;
            left.removeOne(value);
        }
    }
    for (const test::PaintedText *text : std::as_const(left))
        card.rest.append(text->text);
    return card;
}

/// A window with a view of a run, and what stands beside it in the lab's own.
struct Frame
{
    explicit Frame(const RunSource &run)
        : view(*run.spec().kindInfo(), &window)
        , progress(&window)
        , line(&window)
    {
        auto *layout = new QVBoxLayout(&window);
        for (QWidget *part : {static_cast<QWidget *>(&progress), static_cast<QWidget *>(&view),
                              static_cast<QWidget *>(&line)})
            layout->addWidget(part);
        window.resize(1600, 1100);
        QObject::connect(&view, &RunView::statusChanged, &window, [this] {
            progress.setStatus(view.status());
            line.setStatus(view.status());
        });
        window.show();
        view.showRun(run);
        stage = view.findChild<ProcessStage *>();
        timeline = view.findChild<TimelineView *>();
        charts = view.findChild<ChartColumn *>();
    }

    [[nodiscard]] Card card(const ProcessRecord &process) const
    {
        for (int item = 0; item < stage->itemCount(); ++item) {
            if (stage->itemName(item).section(u',', 0, 0) == process.name)
                return cardIn(stageTexts, stage->itemRect(item));
        }
        return {};
    }
    /// The head of the chart of a gauge; empty: there is none.
    [[nodiscard]] const LineChart *chartOf(const RunSource &run, int gauge) const
    {
        const QList<GaugeChart> &gauges = run.spec().kindInfo()->charts;
        qsizetype at = 1; // Behind that of the CPU.
        for (const GaugeChart &chart : gauges) {
            if (!chart.flagField.isEmpty() && !run.spec().value(chart.flagField).toBool())
                continue;
            if (chart.series.last().gauge == gauge)
                return charts->charts().value(at);
            ++at;
        }
        return nullptr;
    }
    [[nodiscard]] QAbstractItemModel *table(const QString &name) const
    {
        for (const QTableView *found : view.findChildren<QTableView *>()) {
            if (found->accessibleName() == name)
                return found->model();
        }
        return nullptr;
    }
    void read()
    {
        stageTexts = test::paintedTexts(*stage);
        stageWords = test::wordsOf(stageTexts);
        timelineWords = test::wordsOf(test::paintedTexts(*timeline));
    }

    QWidget window;
    RunView view;
    RunProgress progress;
    StatusLine line;
    ProcessStage *stage = nullptr;
    TimelineView *timeline = nullptr;
    ChartColumn *charts = nullptr;
    QList<test::PaintedText> stageTexts;
    QStringList stageWords;
    QStringList timelineWords;
};

/// What is painted at the head of @p chart.
QStringList headOf(const LineChart *chart)
{
    return chart ? QStringList{chart->valueText()} : QStringList();
}

/// The chart in which a kind shows a rate, and its position.
const GaugeChart &rateChart(const Kind &kind, int gauge)
{
    return *std::find_if(kind.charts.begin(), kind.charts.end(), [gauge](const GaugeChart &chart) {
        return chart.rate && chart.series.last().gauge == gauge;
    });
}

QString rateText(double rate)
{
    return shortNumber(rate) + u"\u00A0/s"_s;
}

/// "put 12 · get 11 /s" of a chart that has several.
QString ratesTextAt(const RunLog &log, const GaugeChart &chart, qint64 timeNs)
{
    QStringList parts;
    for (qsizetype series = 0; series < chart.series.size(); ++series) {
        const auto rate = rateAt(ratesUntil(log, chart, series, workEndNs(log)), timeNs);
        if (!rate)
            return u"\u2013"_s;
        const bool isLast = series + 1 == chart.series.size();
        const QString number = isLast ? rateText(*rate) : shortNumber(*rate);
        const QString &name = chart.series[series].name;
        parts.append(name.isEmpty() ? number : QString(name + u' ' + number));
    }
    return parts.join(u" \u00B7 "_s);
}

/// What the work's own figures are in the stage of each kind.
QList<Told> workOf(const Frame &frame, const RunSource &run, const StageSnapshot &picture)
{
    const QString kind = run.spec().kind();
    const QStringList &stage = frame.stageWords;
    const QStringList reader{frame.stage->accessibleDescription()};
    const QString done = grouped(picture.done);
    const QString total = grouped(picture.total);
    if (kind == u"pool"_s) {
        const QString waiting = brief(picture.queued);
        return {
            {"done", "stage", u"%1 of %2"_s.arg(brief(picture.done), brief(picture.total)), stage},
            {"done", "screen reader",
             u"%1 of %2 tasks done, %3 waiting, %4 failed"_s.arg(
                 done, total, grouped(picture.queued), grouped(picture.failed)),
             reader},
            {"queue or value", "stage", u"%1 waiting"_s.arg(waiting), stage},
            {"queue or value", "chart", waiting,
             headOf(frame.chartOf(run, PoolGauges::QueueDepth))}};
    }
    if (kind == u"executor"_s) {
        const auto &state = picture.state<ExecutorState>();
        const QString pending = state.isBroken() ? u"broken: none goes on"_s
                                                 : u"%1 pending"_s.arg(brief(picture.queued));
        QString all = u"%1 of %2 futures done, %3 pending, %4 failed"_s.arg(
            done, total, grouped(picture.queued), grouped(picture.failed));
        if (picture.lost + picture.cancelled > 0)
            all += u", %1 lost, %2 cancelled"_s.arg(picture.lost).arg(picture.cancelled);
        return {{"done", "stage",
                 u"%1 of %2"_s.arg(brief(picture.done + picture.failed), brief(picture.total)),
                 stage},
                {"done", "screen reader", all, {reader.first().section(u';', 0, 0)}},
                {"queue or value", "stage", pending, stage},
                {"queue or value", "chart", brief(picture.queued),
                 headOf(frame.chartOf(run, ExecutorGauges::QueueDepth))}};
    }
    if (kind == u"pipeline"_s) {
        const auto capacity = static_cast<quint64>(run.spec().bigInteger(u"pipeline.capacity"_s));
        const QString depth = grouped(picture.queued);
        const QString level = u"%1 / %2"_s.arg(brief(picture.queued), brief(capacity));
        return {{"done", "screen reader",
                 u"%1 of %2 items taken, %3 of %4 in the queue"_s.arg(done, total, depth,
                                                                      grouped(capacity)),
                 reader},
                {"queue or value", "stage", u"%1 of %2"_s.arg(depth, grouped(capacity)), stage},
                {"queue or value", "chart", level,
                 headOf(frame.chartOf(run, PipelineGauges::QueueDepth))},
                {"queue or value", "timeline", level, frame.timelineWords}};
    }
    if (kind == u"pipe"_s) {
        const auto &state = picture.state<PipeState>();
        const auto bytes = static_cast<quint64>(run.spec().bigInteger(u"pipe.message_bytes"_s));
        const QString onTheWay = state.toParent > 0
                                     ? u"%1 on the way, %2"_s.arg(
                                           groupedNumber(state.toParent),
                                           bytesText(static_cast<quint64>(state.toParent) * bytes))
                                     : u"none on the way"_s;
        return {{"done", "stage", done, stage},
                {"done", "stage", u"of %1 messages received"_s.arg(total), stage},
                {"done",
                 "screen reader",
                 u"%1 of %2 messages received"_s.arg(done, total),
                 {reader.first().section(u',', 0, 0)}},
                {"queue or value", "stage", onTheWay, stage},
                {"queue or value", "chart",
                 shortNumber(static_cast<double>(state.toParent + state.toChild)),
                 headOf(frame.chartOf(run, PipeGauges::OnTheWay))}};
    }
    if (kind == u"process"_s) {
        const auto &state = picture.state<LivesState>();
        const auto joined =
            std::count_if(state.lives.begin(), state.lives.end(), [](const LivesState::Life &life) {
                return life.joinedNs != LivesState::notYet;
            });
        const auto ended =
            std::count_if(picture.processes.begin() + 1, picture.processes.end(),
                          [](const ProcessLive &live) { return isOver(live.state); });
        const qint64 costNs = state.startCostOf(StartMethod::Fork);
        return {{"done", "stage", u"%1 of %2 joined"_s.arg(joined).arg(total), stage},
                {"done",
                 "screen reader",
                 u"%1 of %2 children have ended"_s.arg(ended).arg(total),
                 {reader.first().section(u',', 0, 0)}},
                {"queue or value", "stage", durationText(static_cast<double>(costNs) / 1e9), stage},
                {"queue or value", "chart",
                 brief(static_cast<quint64>(picture.processes.size() - 1 - ended)),
                 headOf(frame.chartOf(run, ProcessGauges::Alive))}};
    }
    if (kind == u"program"_s) {
        const auto ended =
            std::count_if(picture.processes.begin() + 1, picture.processes.end(),
                          [](const ProcessLive &live) { return isOver(live.state); });
        return {{"done", "stage", u"%1 of %2 ended"_s.arg(ended).arg(total), stage},
                {"done",
                 "screen reader",
                 u"%1 of %2 programs have ended"_s.arg(ended).arg(total),
                 {reader.first().section(u',', 0, 0)}},
                {"queue or value", "chart",
                 brief(static_cast<quint64>(picture.processes.size() - 1 - ended)),
                 headOf(frame.chartOf(run, ProgramGauges::Alive))}};
    }
    if (kind == u"fork"_s) {
        const auto &state = picture.state<ForkState>();
        const auto text = [](qint64 bytes) {
            return bytes < 0 ? u"not known"_s : bytesText(static_cast<quint64>(bytes));
        };
        const bool hasReturned = !state.children.empty() && state.children[0].returned == 0;
        return {{"done",
                 "screen reader",
                 u"%1 of %2 blocks gone through"_s.arg(picture.done).arg(total),
                 {reader.first().section(u',', 0, 0)}},
                {"queue or value",
                 "screen reader",
                 u"copied: %1"_s.arg(text(state.copiedBytes())),
                 {reader.first().section(u", "_s, 1, 1)}},
                {"queue or value", "stage", hasReturned ? u"returned 0"_s : u"\u2013"_s, stage}};
    }
    const auto &state = picture.state<CounterState>();
    const QString value = groupedNumber(state.value);
    return {{"queue or value", "stage", value, stage},
            {"queue or value", "stage", groupedNumber(state.expected), stage},
            {"queue or value", "chart", shortNumber(static_cast<double>(state.value)),
             headOf(frame.chartOf(run, CounterGauges::Value))},
            {"queue or value",
             "screen reader",
             u"counter at %1 of %2"_s.arg(value, groupedNumber(state.expected)),
             {reader.first().section(u',', 0, 0)}}};
}

/// How a card counts what its process did.
QString countText(const RunSource &run, const ProcessRecord &record, const StageSnapshot &picture,
                  const ProcessLive &live)
{
    const QString kind = run.spec().kind();
    if (kind == u"pipe"_s)
        return u"%1 sent"_s.arg(shortNumber(static_cast<double>(picture.state<PipeState>().sent)));
    if (kind == u"process"_s)
        return u"parent %1"_s.arg(::getpid());
    if (kind == u"program"_s) {
        const auto number = static_cast<std::size_t>(record.colorIndex);
        const qint64 bytes = picture.state<ProgramState>().instances.at(number).outputBytes;
        return u"%1 out"_s.arg(bytesText(static_cast<quint64>(bytes)));
    }
    const QString done = brief(live.done);
    if (kind == u"fork"_s)
        return (record.name == u"parent"_s ? u"%1 forked"_s : u"%1 blocks"_s).arg(done);
    return kind == u"pool"_s || kind == u"executor"_s ? u"%1 done"_s.arg(done)
           : kind == u"counter"_s                     ? u"%1 added"_s.arg(done)
           : record.name.startsWith(u"producer"_s)    ? u"%1 put"_s.arg(done)
                                                      : u"%1 taken"_s.arg(done);
}

/// What the cards say of the processes.
QList<Told> processesOf(const Frame &frame, const RunSource &run, const StageSnapshot &picture)
{
    QList<Told> told;
    const QList<ProcessRecord> records = processesAt(*run.log(), picture);
    double sum = 0;
    bool isKnown = false;
    for (int process = 1; process < records.size(); ++process) {
        const ProcessRecord &record = records[process];
        const ProcessLive &live = picture.processes[process];
        if (live.cpuPercent >= 0 && !isOver(live.state)) {
            sum += live.cpuPercent;
            isKnown = true;
        }
        const Card card = frame.card(record);
        if (card.head.isEmpty() || hasCrashed(record))
            continue; // Its place is another's, or it says how it died.
        told.append({"PID", "card", u"PID %1"_s.arg(record.pid), card.head});
        told.append({"state", "card", stateWord(live.state), card.head});
        told.append({"done by process", "card", countText(run, record, picture, live), card.rest});
        if (card.facts.contains(u"CPU"_s))
            told.append(
                {"CPU time", "card", durationText(record.cpuSeconds), {card.facts[u"CPU"_s]}});
        if (card.facts.contains(u"Ready"_s))
            told.append(
                {"ready", "card", percent(100 * live.readyShare), {card.facts[u"Ready"_s]}});
        if (live.cpuPercent >= 0 && !isOver(live.state))
            told.append({"CPU now", "card", percent(live.cpuPercent), card.rest});
    }
    told.append({"CPU now", "chart", isKnown ? percent(sum) : u"\u2013"_s,
                 headOf(frame.charts->charts().first())});
    return told;
}

/// All that is told of an instant of a run that is kept.
QList<Told> instantOf(const Frame &frame, const RunSource &run, const StageSnapshot &picture)
{
    const RunLog &log = *run.log();
    const Kind &kind = *run.spec().kindInfo();
    QList<Told> told = workOf(frame, run, picture) + processesOf(frame, run, picture);
    const int gauge = test::paceOf(kind.name).gauge;
    if (gauge >= 0)
        told.append({"rate", "chart", ratesTextAt(log, rateChart(kind, gauge), picture.timeNs),
                     headOf(frame.chartOf(run, gauge))});
    for (const QString &word : frame.stageWords) {
        if (word.endsWith(u"/s"_s) && picture.timeNs < workEndNs(log))
            told.append(
                {"rate",
                 "stage",
                 shortNumber(gaugeAt(log.gauges, gauge, picture.timeNs).value_or(-1)) + u"/s"_s,
                 {word}});
    }
    told.append({"instant", "timeline", durationText(static_cast<double>(picture.timeNs) / 1e9),
                 frame.timelineWords});
    for (const ProcessRecord &record : log.processes())
        told.append({"PID", "timeline", QString::number(record.pid), frame.timelineWords});
    return told;
}

/// What the table "Results" says of how much each process did.
QList<Told> tablesOf(const Frame &frame, const RunSource &run)
{
    QList<Told> told;
    const RunLog &log = *run.log();
    const QList<ProcessRecord> records = log.processes();
    const QAbstractItemModel *results = frame.table(u"Results"_s);
    const QAbstractItemModel *events = frame.table(u"Events"_s);
    told.append({"events",
                 "tables",
                 QString::number(log.events().size()),
                 {QString::number(events->rowCount())}});
    QHash<QString, quint64> tasks;
    for (int row = 0; row < results->rowCount(); ++row) {
        const QString name = results->index(row, 1).data().toString();
        if (run.spec().kindInfo()->hasTasks) {
            tasks[name] += results->index(row, 4).data().toString().isEmpty() ? 1 : 0;
            continue;
        }
        // A result each, in the order in which they ended.
        const auto process =
            std::find_if(records.begin(), records.end(),
                         [&name](const ProcessRecord &record) { return record.name == name; });
        told.append({"done by process",
                     "tables",
                     grouped(process == records.end() ? 0 : process->done),
                     {results->index(row, 3).data().toString()}});
    }
    for (int process = 1; run.spec().kindInfo()->hasTasks && process < records.size(); ++process)
        told.append({"done by process",
                     "tables",
                     QString::number(records[process].done),
                     {QString::number(tasks.value(records[process].name))}});
    return told;
}

/// The gauge of what workOf() tells beside what is done.
int levelGauge(const QString &kind)
{
    return kind == u"pool"_s || kind == u"executor"_s ? int{PoolGauges::QueueDepth}
           : kind == u"pipeline"_s                    ? int{PipelineGauges::QueueDepth}
           : kind == u"pipe"_s                        ? int{PipeGauges::OnTheWay}
           : kind == u"process"_s                     ? int{ProcessGauges::Alive}
           : kind == u"program"_s                     ? int{ProgramGauges::Alive}
           : kind == u"fork"_s                        ? int{ForkGauges::Shared}
                                                      : int{CounterGauges::Value};
}

/// The csv that a chart copies: a line a step of its history, which may be of several samples.
QList<Told> copiedTableOf(const Frame &frame, const RunSource &run)
{
    struct Step
    {
        double seconds = 0;
        double sum = 0;
        int count = 0;
    };
    const int gauge = levelGauge(run.spec().kind());
    const LineChart *chart = frame.chartOf(run, gauge);
    const AppendLog<GaugeSample> &samples = run.log()->gauges;
    std::map<qint64, Step> steps;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double seconds = static_cast<double>(samples[i].timeNs) / 1e9;
        Step &step = steps[static_cast<qint64>(seconds / chart->history().step())];
        step.seconds = seconds;
        step.sum += samples[i].values[static_cast<std::size_t>(gauge)];
        ++step.count;
    }
    QStringList lines = chart->tableText().split(u'\n', Qt::SkipEmptyParts);
    for (QString &line : lines)
        line = line.section(u',', 0, 0) + u',' + line.section(u',', -1); // The last series.
    QList<Told> told{{"queue or value",
                      "copied table",
                      QString::number(steps.size() + 1),
                      {QString::number(lines.size())}}};
    for (const auto &[number, step] : steps) {
        const QString time = QString::number(step.seconds, 'f', 6);
        const QString value = QString::number(step.sum / step.count, 'g', 9);
        told.append({"queue or value", "copied table", QString(time + u',' + value), lines});
    }
    return told;
}

QStringList partOf(const QString &text, const QString &part)
{
    return text.contains(part) ? QStringList{part} : QStringList{text};
}

/// What @p chart and @p summary tell of the rate over the whole run.
QList<Told> paceAtEnd(const LineChart &chart, const Kind &kind, const test::Pace &pace, double rate,
                      const QString &summary)
{
    QString sentence;
    for (const Measure &measure : kind.measures) {
        if (measure.key == QString::fromLatin1(pace.figure))
            sentence = measure.sentence.arg(shortNumber(rate));
    }
    const QString name = rateChart(kind, pace.gauge).series.last().name;
    QList<Told> told{
        {"rate", "summary", sentence, partOf(summary, sentence)},
        {"rate", "chart's mean",
         u"mean "_s + (name.isEmpty() ? QString() : QString(name + u' ')) + rateText(rate),
         headOf(&chart)}};
    for (const QObject *part : chart.findChildren<QObject *>()) {
        const QString text = part->property("text").toString();
        if (text.startsWith(u"mean "_s) && part->property("visible").toBool())
            told.append({"rate", "chart's mean", u"mean "_s + shortNumber(rate), {text}});
    }
    return told;
}

/// All that is told of a run that has ended, beside what its stage shows.
QList<Told> endOf(const Frame &frame, const RunSource &run)
{
    const RunResult &result = run.result();
    const RunLog &log = *run.log();
    const Kind &kind = *run.spec().kindInfo();
    const QJsonObject json = test::jsonOf(result, 1'000).head;
    const WorkCounts work = result.work();
    const double elapsed = json[u"elapsed_s"_s].toDouble();
    QWidget *progress = const_cast<RunProgress *>(&frame.progress);
    const QStringList bar = test::wordsOf(test::paintedTexts(*progress));
    const auto *banner = frame.view.findChild<Banner *>();
    const QString summary = banner->title() + u" · "_s + banner->detail();
    QStringList line;
    for (const QLabel *label : frame.line.findChildren<QLabel *>())
        line.append(label->text());

    const QString count = progressText(work.done, work.total, work.failed, work.lost);
    const bool isWhole = work.failed + work.lost == 0 && result.notice.isEmpty();
    const QString doneText = isWhole ? u"%1 done"_s.arg(grouped(work.done)) : count;
    const std::size_t events = log.events().size();
    const QString eventsText = events == 1 ? u"1 event"_s : u"%1 events"_s.arg(grouped(events));
    const QString elapsedText = u"in %1"_s.arg(durationText(elapsed));
    QList<Told> told{{"done", "top bar", count, bar},
                     {"done", "summary", doneText, partOf(summary, doneText)},
                     {"elapsed", "top bar", elapsedClock(elapsed), bar},
                     {"elapsed", "summary", elapsedText, partOf(summary, elapsedText)},
                     {"events", "status line", eventsText, line}};
    if (const test::Pace pace = test::paceOf(kind.name); pace.gauge >= 0)
        told += paceAtEnd(*frame.chartOf(run, pace.gauge), kind, pace,
                          test::figureOf(json, pace.figure), summary);
    for (const QJsonValue &worker : json[u"workers"_s].toArray()) {
        for (const ProcessRecord &record : log.processes()) {
            const Card card = frame.card(record);
            if (record.name == worker[u"name"_s].toString() && card.facts.contains(u"CPU"_s))
                told.append({"CPU time",
                             "card",
                             durationText(worker[u"cpu_s"_s].toDouble()),
                             {card.facts[u"CPU"_s]}});
        }
    }
    return told + tablesOf(frame, run) + copiedTableOf(frame, run);
}

} // namespace

/// What is painted and shown of one quantity is one number, wherever it stands: at the instants of
/// a run that is looked back at, at its end, and while it goes on.
class tst_ShownFigures : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void everyPlaceSaysTheSame_data();
    void everyPlaceSaysTheSame();
    void whatStandsBesideTheStageIsOfItsPicture_data();
    void whatStandsBesideTheStageIsOfItsPicture();

private:
    void compare(const QList<Told> &table, const QString &when);

    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
    std::map<std::pair<std::string_view, std::string_view>, int> m_compared; ///< In one run.
    std::map<std::pair<std::string_view, std::string_view>, int> m_comparedInAll;
};

void tst_ShownFigures::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Dark);
    m_engine = std::make_unique<Engine>();
}

/// The table, and how often each of its cells was compared.
void tst_ShownFigures::cleanupTestCase()
{
    for (const auto &[cell, times] : m_comparedInAll)
        qInfo("%-16s %-14s %6d", qPrintable(latin(cell.first)), qPrintable(latin(cell.second)),
              times);
}

void tst_ShownFigures::compare(const QList<Told> &table, const QString &when)
{
    for (const Told &told : table) {
        ++m_compared[{told.quantity, told.place}];
        ++m_comparedInAll[{told.quantity, told.place}];
        QVERIFY2(told.shown.contains(told.expected),
                 qPrintable(u"%1 %2, %3: \"%4\" is not in \"%5\""_s.arg(
                     when, latin(told.quantity), latin(told.place), told.expected,
                     told.shown.join(u"\", \""_s))));
    }
}

void tst_ShownFigures::everyPlaceSaysTheSame_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    for (const test::NamedSpec &run : test::runsToCompare())
        QTest::newRow(qPrintable(run.name)) << run.spec;
}

void tst_ShownFigures::everyPlaceSaysTheSame()
{
    QFETCH(const ExperimentSpec, spec);
    RunResult result;
    {
        ExperimentRun run(*m_engine, spec);
        QVERIFY(test::runToEnd(run));
        result = run.result();
    }
    m_compared.clear();
    const FinishedRun run(result);
    Frame frame(run);
    frame.read();
    const StageSnapshotPointer last = run.snapshot();
    compare(endOf(frame, run), u"at the end:"_s);
    QList<Told> atEnd = processesOf(frame, run, *last);
    atEnd.removeIf([](const Told &told) { return told.place == "chart"; }); // Means stand there.
    if (!QTest::currentTestFailed())
        compare(atEnd, u"at the end:"_s);

    const AppendLog<GaugeSample> &gauges = result.log->gauges;
    const std::size_t step = std::max<std::size_t>(1, gauges.size() / 20);
    for (std::size_t i = 1; i < gauges.size() && !QTest::currentTestFailed(); i += step) {
        // Between two pictures: the one before stands.
        const qint64 timeNs = gauges[i].timeNs + 1'000'000;
        const StageSnapshotPointer picture = run.snapshotAt(timeNs);
        if (picture->timeNs < gauges[i].timeNs || picture == last)
            continue;
        frame.view.setInstant(timeNs);
        frame.read();
        compare(instantOf(frame, run, *picture), u"at %1 ns:"_s.arg(picture->timeNs));
    }
    if (QTest::currentTestFailed() || gauges.size() < 10)
        return;
    const bool isFork = spec.kind() == u"fork"_s;
    const bool showsDone = spec.kind() != u"pipeline"_s && spec.kind() != u"counter"_s && !isFork;
    for (const auto &[quantity, place] : expectedCells) {
        // Life lines have no pace, one task each, and mostly low cards, which say less.
        if (spec.kind() == u"process"_s && (quantity == "rate" || place == "card" ||
                                            (quantity == "done by process" && place == "tables")))
            continue;
        // Programs have no pace either, and their stage shows what they write.
        if (spec.kind() == u"program"_s &&
            (quantity == "rate" || (quantity == "queue or value" && place == "stage") ||
             (quantity == "done by process" && place == "tables")))
            continue;
        // A fork has no pace either, and no chart of one number.
        if (isFork && (quantity == "rate" || (quantity == "queue or value" && place == "chart")))
            continue;
        // A pipeline, a counter and a fork say of what is done in the other places.
        const bool isDone =
            quantity == "done" &&
            (place == "stage" || (place == "screen reader" && spec.kind() == u"counter"_s));
        if (isDone && !showsDone)
            continue;
        const int times = m_compared[{quantity, place}];
        QVERIFY2(times > 0,
                 qPrintable(u"%1, %2: never compared"_s.arg(latin(quantity), latin(place))));
    }
}

void tst_ShownFigures::whatStandsBesideTheStageIsOfItsPicture_data()
{
    QTest::addColumn<QString>("preset");
    QTest::newRow("pool") << u"pool"_s;
    QTest::newRow("pipeline") << u"pipeline-slow-consumers"_s;
}

/// While it goes on: top bar, stage, and the head of the queue's chart.
void tst_ShownFigures::whatStandsBesideTheStageIsOfItsPicture()
{
    QFETCH(const QString, preset);
    const int depth =
        preset == u"pool"_s ? int{PoolGauges::QueueDepth} : int{PipelineGauges::QueueDepth};
    ExperimentRun run(*m_engine, test::shortened(*findPreset(preset)));
    Frame frame(run);
    const QString before = frame.stage->accessibleDescription();
    int looked = 0;
    connect(&frame.view, &RunView::statusChanged, &frame.window, [&] {
        const RunStatus &status = frame.view.status();
        if (status.state != RunSource::State::Running || status.elapsedSeconds <= 0 ||
            frame.stage->accessibleDescription() == before || QTest::currentTestFailed())
            return;
        const auto timeNs = static_cast<qint64>(std::llround(status.elapsedSeconds * 1e9));
        const StageSnapshotPointer picture = run.log()->snapshots.at(timeNs);
        if (!picture || picture->timeNs != timeNs)
            return; // One from before the start.
        ++looked;
        const QString begin = u"%1 of %2 "_s.arg(grouped(status.done), grouped(status.total));
        const QString text = frame.stage->accessibleDescription();
        QVERIFY2(text.startsWith(begin), qPrintable(text + u" and "_s + begin));
        const QString head = headOf(frame.chartOf(run, depth)).join(u' ');
        const QString queued = shortNumber(static_cast<double>(picture->queued));
        QCOMPARE(head.section(u' ', 0, 0), queued);
    });
    QVERIFY(test::runToEnd(run));
    QVERIFY(looked > 0);
}

QTEST_MAIN(tst_ShownFigures)
#include "tst_shown_figures.moc"
