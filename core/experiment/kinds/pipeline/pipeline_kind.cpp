// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_kind.h"

#include "core/experiment/kinds/pipeline/pipeline_scene.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_measures.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"

#include <QCoreApplication>
#include <QJsonArray>

#include <utility>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qint64 largestItem = 1 << 20;

class PipelineKindText
{
    Q_DECLARE_TR_FUNCTIONS(PipelineKind)
};

QJsonValue usualItemsPerProducer(const ExperimentSpec &spec)
{
    return spec.isSet(u"pipeline.items"_s) ? QJsonValue(QJsonValue::Undefined) : QJsonValue(1000);
}

Schema producerFields()
{
    const QString group = PipelineKindText::tr("Producers");
    return {
        {.path = u"pipeline.producers"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = PipelineKindText::tr("Producers"),
         .unit = PipelineKindText::tr("processes"),
         .help = PipelineKindText::tr("How many processes put items into the queue."),
         .minimum = 1,
         .maximum = 128,
         .defaultValue = 1},
        {.path = u"pipeline.items_per_producer"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = PipelineKindText::tr("Items each"),
         .unit = PipelineKindText::tr("items"),
         .help = PipelineKindText::tr("How many items each producer puts."),
         .minimum = 1,
         .maximum = 10'000'000,
         .defaultValue = 1000,
         .derivedDefault = usualItemsPerProducer,
         .defaultText = PipelineKindText::tr("1000; none beside pipeline.items")},
        {.path = u"pipeline.item_bytes"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = PipelineKindText::tr("Item size"),
         .unit = PipelineKindText::tr("bytes"),
         .help = PipelineKindText::tr(
             "How many bytes an item carries; each is filled, and checked at the other end."),
         .minimum = 0,
         .maximum = static_cast<double>(largestItem),
         .defaultValue = 64},
        {.path = u"pipeline.items"_s,
         .type = Field::Type::TextList,
         .group = group,
         .label = PipelineKindText::tr("Texts"),
         .help = PipelineKindText::tr(
             "Texts to send instead of filled items, dealt out to the producers in turn."),
         .minimum = 1,
         .maximum = 1'000'000,
         .advanced = true},
    };
}

Schema queueFields()
{
    return {
        {.path = u"pipeline.capacity"_s,
         .type = Field::Type::Integer,
         .group = PipelineKindText::tr("Queue"),
         .label = PipelineKindText::tr("Capacity"),
         .unit = PipelineKindText::tr("items"),
         .help = PipelineKindText::tr(
             "How many items the queue holds before put() has to wait. 0: no bound."),
         .minimum = 0,
         .maximum = 1'000'000,
         .defaultValue = 16},
        startMethodField(u"pipeline"_s, PipelineKindText::tr("Run")),
    };
}

Schema consumerFields()
{
    return {
        {.path = u"pipeline.consumers"_s,
         .type = Field::Type::Integer,
         .group = PipelineKindText::tr("Consumers"),
         .label = PipelineKindText::tr("Consumers"),
         .unit = PipelineKindText::tr("processes"),
         .help = PipelineKindText::tr(
             "How many processes take items from the queue, until each gets its END."),
         .minimum = 1,
         .maximum = 128,
         .defaultValue = 1},
    };
}

qint64 longestText(const QJsonArray &texts, qsizetype &position)
{
    qint64 longest = 0;
    for (qsizetype i = 0; i < texts.size(); ++i) {
        const qint64 bytes = texts.at(i).toString().toUtf8().size();
        if (bytes > longest) {
            longest = bytes;
            position = i;
        }
    }
    return longest;
}

/// What the queue takes when it is full.
void checkMemory(const ExperimentSpec &spec, qint64 itemBytes, QList<Error> &faults)
{
    const bool hasTexts = spec.isSet(u"pipeline.items"_s);
    const qint64 items = hasTexts ? spec.value(u"pipeline.items"_s).toArray().size()
                                  : spec.bigInteger(u"pipeline.producers"_s) *
                                        spec.bigInteger(u"pipeline.items_per_producer"_s);
    const qint64 capacity = spec.bigInteger(u"pipeline.capacity"_s);
    const qint64 cells = capacity > 0 ? capacity : items + spec.bigInteger(u"pipeline.consumers"_s);
    const qint64 each = static_cast<qint64>(sizeof(Codec<pipeline::Item>::Head)) + itemBytes;
    const double bytes = static_cast<double>(cells) * static_cast<double>(each);
    if (bytes <= pipeline::mostQueueBytes)
        return;
    const QString found =
        capacity > 0 ? PipelineKindText::tr("%1 items of %2 bytes need %3 GiB of shared memory")
                     : PipelineKindText::tr(
                           "without a bound, %1 items of %2 bytes need %3 GiB of shared memory");
    faults.append(invalidArgument(u"pipeline.capacity"_s,
                                  found.arg(QString::number(cells), QString::number(itemBytes),
                                            QString::number(bytes / (1 << 30), 'f', 1)),
                                  PipelineKindText::tr("allowed: at most 8 GiB")));
}

void checkWork(const ExperimentSpec &spec, const QString &block, QList<Error> &faults)
{
    const QString path = block % u".task"_s;
    if (spec.value(block).isObject() && !spec.isSet(path))
        faults.append(invalidArgument(path, PipelineKindText::tr("missing"),
                                      PipelineKindText::tr("the name of a workload is needed")));
    checkEnds(spec, block, {u"time_limit_s"_s}, faults);
}

void checkPipeline(const ExperimentSpec &spec, QList<Error> &faults)
{
    const bool isSoFarGood = faults.isEmpty();
    checkWork(spec, u"produce"_s, faults);
    checkWork(spec, u"consume"_s, faults);
    qint64 itemBytes = spec.bigInteger(u"pipeline.item_bytes"_s);
    if (spec.isSet(u"pipeline.items"_s)) {
        if (spec.isSet(u"pipeline.items_per_producer"_s))
            faults.append(invalidArgument(u"pipeline.items_per_producer"_s,
                                          PipelineKindText::tr("given beside pipeline.items"),
                                          PipelineKindText::tr("allowed: one of the two")));
        qsizetype position = 0;
        itemBytes = longestText(spec.value(u"pipeline.items"_s).toArray(), position);
        if (itemBytes > largestItem)
            faults.append(invalidArgument(
                u"pipeline.items."_s % QString::number(position),
                PipelineKindText::tr("a text of %1 bytes").arg(itemBytes),
                PipelineKindText::tr("allowed: at most %1 bytes").arg(largestItem)));
    }
    if (isSoFarGood && itemBytes <= largestItem)
        checkMemory(spec, itemBytes, faults);
}

QList<GaugeChart> pipelineCharts()
{
    return {
        {.title = PipelineKindText::tr("Queue depth"),
         .unit = PipelineKindText::tr("items"),
         .series = {{{}, PipelineGauges::QueueDepth}},
         .steps = true,
         .limitField = u"pipeline.capacity"_s,
         .help = PipelineKindText::tr("Items that were put and that no consumer has taken yet.")},
        {.title = PipelineKindText::tr("Throughput"),
         .unit = PipelineKindText::tr("items/s"),
         .series = {{PipelineKindText::tr("put"), PipelineGauges::PutRate},
                    {PipelineKindText::tr("get"), PipelineGauges::GetRate}},
         .rate = true,
         .help = PipelineKindText::tr("Items that are put and taken in a second.")},
        {.title = PipelineKindText::tr("Waiting"),
         .unit = PipelineKindText::tr("% of time"),
         .series = {{PipelineKindText::tr("put"), PipelineGauges::ProducersBlocked},
                    {PipelineKindText::tr("get"), PipelineGauges::ConsumersWaiting}},
         .maximum = 100,
         .rate = true,
         .help = PipelineKindText::tr("Share of their time that producers are blocked in put(), "
                                      "and that consumers wait in get().")},
    };
}

QString pipelineNoteText(const RunLog &, const RunNote &note)
{
    const QByteArray &code = note.code;
    if (code == "pipeline.item_lost")
        return PipelineKindText::tr("Item %1 was lost with the process")
            .arg(note.facts.value("name"_L1).toString(u'#' +
                                                      QString::number(note.integer("item"_L1))));
    if (code == "pipeline.unknown_item_lost")
        return PipelineKindText::tr("An item was lost with the process");
    if (code == "pipeline.ends_put")
        return note.integer("ends"_L1) == 1
                   ? PipelineKindText::tr("All producers have ended: put 1 END for the consumer")
                   : PipelineKindText::tr(
                         "All producers have ended: put %1 ENDs, one for each consumer")
                         .arg(note.integer("ends"_L1));
    if (code == "pipeline.items_missing")
        return (note.integer("put"_L1) == 1
                    ? PipelineKindText::tr(
                          "%1 item put, %2 taken: %3 failed, %4 lost with a process")
                    : PipelineKindText::tr(
                          "%1 items put, %2 taken: %3 failed, %4 lost with a process"))
            .arg(note.integer("put"_L1))
            .arg(note.integer("taken"_L1))
            .arg(note.integer("failed"_L1))
            .arg(note.integer("lost"_L1));
    if (code == "pipeline.backpressure")
        return PipelineKindText::tr("Backpressure: producers waited %1 s in put(), all added up; "
                                    "the consumers set the pace")
            .arg(note.number("waited_s"_L1), 0, 'f', 2);
    if (code == "pipeline.consumers_waited")
        return PipelineKindText::tr(
                   "Consumers waited %1 s in get(), all added up; the producers set the pace")
            .arg(note.number("waited_s"_L1), 0, 'f', 2);
    return {};
}

QString pipelineDeathText(const DeathFacts &facts)
{
    // The engine tells of a lost item after the end of its process.
    const AppendLog<RunEvent> &events = facts.log.events();
    QString lost;
    bool isFirst = true;
    for (std::size_t i = 0, size = events.size(); i < size; ++i) {
        const RunEvent &event = events[i];
        if (event.process != facts.process || event.severity != RunEvent::Severity::Failure)
            continue;
        if (!std::exchange(isFirst, false))
            lost = eventText(facts.log, event) + u'.';
    }
    if (!facts.isReplaced)
        return lost;
    return (lost.isEmpty() ? PipelineKindText::tr("No item was lost.") : lost) + u' ' +
           PipelineKindText::tr("In Python nothing would take its place.");
}

QList<Measure> pipelineMeasures()
{
    using Better = Measure::Better;
    return {
        {.key = u"items_per_s"_s,
         .title = PipelineKindText::tr("Throughput"),
         .unit = PipelineKindText::tr("items/s"),
         .better = Better::Higher,
         .read = outcomeFigure,
         .sentence = PipelineKindText::tr("%1 items per second from the first to the last")},
        {.key = u"produced"_s, .title = PipelineKindText::tr("Items put"), .read = outcomeFigure},
        {.key = u"consumed"_s, .title = PipelineKindText::tr("Items taken"), .read = outcomeFigure},
        {.key = u"failed_items"_s,
         .title = PipelineKindText::tr("Items failed"),
         .better = Better::Lower,
         .read = outcomeFigure},
        {.key = u"lost_items"_s,
         .title = PipelineKindText::tr("Items lost"),
         .better = Better::Lower,
         .read = outcomeFigure},
        {.key = u"max_depth"_s,
         .title = PipelineKindText::tr("Deepest queue"),
         .unit = PipelineKindText::tr("items"),
         .read = outcomeFigure},
        {.key = u"blocked_on_full_s"_s,
         .title = PipelineKindText::tr("Blocked in put(), all added up"),
         .unit = u"s"_s,
         .read = outcomeFigure},
        {.key = u"blocked_on_empty_s"_s,
         .title = PipelineKindText::tr("Waiting in get(), all added up"),
         .unit = u"s"_s,
         .read = outcomeFigure},
    };
}

QList<PresetInfo> pipelinePresets()
{
    return {
        {u"pipeline-fruit"_s, PipelineKindText::tr("Fruit, one to one"),
         PipelineKindText::tr(
             "One producer puts fruit into a small queue, one consumer takes it, END stops it.")},
        {u"pipeline-slow-consumers"_s, PipelineKindText::tr("Slow consumers"),
         PipelineKindText::tr("Three producers fill the queue faster than two consumers empty it: "
                              "put() has to wait.")},
    };
}

} // namespace

Kind pipelineKind()
{
    Kind kind;
    kind.name = u"pipeline"_s;
    kind.title = PipelineKindText::tr("Queue pipeline");
    kind.subtitle = PipelineKindText::tr("Producers, queue, consumers");
    kind.code = u"queue = Queue(maxsize={pipeline.capacity})"_s;
    kind.schema =
        producerFields() +
        workFields(
            u"produce"_s, PipelineKindText::tr("Producers"), PipelineKindText::tr("Make an item"),
            PipelineKindText::tr(
                "What a producer does before it puts an item. None: the item is only filled.")) +
        queueFields() + consumerFields() +
        workFields(u"consume"_s, PipelineKindText::tr("Consumers"),
                   PipelineKindText::tr("Work on an item"),
                   PipelineKindText::tr(
                       "What a consumer does with an item. None: the item is only checked.")) +
        runFields(kind.name);
    kind.items = PipelineKindText::tr("items");
    kind.itemNamesField = u"pipeline.items"_s;
    kind.roles = {{.name = u"producer"_s,
                   .title = PipelineKindText::tr("Producer"),
                   .plural = PipelineKindText::tr("Producers"),
                   .numbersInTurnField = u"pipeline.producers"_s},
                  {.name = u"consumer"_s,
                   .title = PipelineKindText::tr("Consumer"),
                   .plural = PipelineKindText::tr("Consumers"),
                   .takesFromMany = true}};
    kind.waits = {WaitCause::FullQueue, WaitCause::EmptyQueue};
    kind.gauges = {u"put_rate"_s, u"get_rate"_s, u"queue_depth"_s, u"producers_blocked"_s,
                   u"consumers_waiting"_s};
    kind.charts = pipelineCharts();
    kind.tracks = {{.title = PipelineKindText::tr("Queue depth"),
                    .gauge = PipelineGauges::QueueDepth,
                    .unit = kind.items,
                    .limitField = u"pipeline.capacity"_s,
                    .aboveRole = PipelineRoles::Consumer}};
    kind.measures = runMeasures() + pipelineMeasures();
    kind.presets = pipelinePresets();
    kind.check = checkPipeline;
    kind.noteText = pipelineNoteText;
    kind.deathText = pipelineDeathText;
    kind.explain = explainPipeline;
    kind.explanationText = pipelineExplanationText;
    kind.makeRunner = makePipelineRunner;
    return kind;
}

} // namespace proclab
