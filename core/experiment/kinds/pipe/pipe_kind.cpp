// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipe/pipe_kind.h"

#include "core/base/number_text.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_measures.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class PipeKindText
{
    Q_DECLARE_TR_FUNCTIONS(PipeKind)
};

Schema pipeFields()
{
    const QString group = PipeKindText::tr("Pipe");
    return {
        {.path = u"pipe.duplex"_s,
         .type = Field::Type::Flag,
         .group = group,
         .label = PipeKindText::tr("Duplex"),
         .help = PipeKindText::tr("Both ends send and receive: the parent answers each message, "
                                  "and the child checks the answer before it sends the next one. "
                                  "Otherwise messages only go from the child to the parent."),
         .defaultValue = true},
        {.path = u"pipe.messages"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = PipeKindText::tr("Messages"),
         .help = PipeKindText::tr("How many messages the child sends."),
         .minimum = 1,
         .maximum = 10'000'000,
         .defaultValue = 10'000},
        {.path = u"pipe.message_bytes"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = PipeKindText::tr("Message size"),
         .unit = PipeKindText::tr("bytes"),
         .help = PipeKindText::tr(
             "How many bytes a message carries; each is filled, and checked at the other end."),
         .minimum = 0,
         .maximum = 1 << 24,
         .defaultValue = 64},
        startMethodField(u"pipe"_s, group),
    };
}

QList<GaugeChart> pipeCharts()
{
    return {
        {.title = PipeKindText::tr("Throughput"),
         .unit = PipeKindText::tr("messages/s"),
         .series = {{{}, PipeGauges::MessageRate}},
         .rate = true,
         .help = PipeKindText::tr("Messages that arrive in a second, at both ends.")},
        {.title = PipeKindText::tr("Bandwidth"),
         .unit = PipeKindText::tr("MiB/s"),
         .series = {{{}, PipeGauges::Bandwidth, PipeGauges::MessageRate}},
         .rate = true,
         .help = PipeKindText::tr("Bytes of the messages that arrive in a second.")},
        {.title = PipeKindText::tr("Round trip"),
         .unit = u"µs"_s,
         .series = {{{}, PipeGauges::RoundTrip}},
         .flagField = u"pipe.duplex"_s,
         .help = PipeKindText::tr("Time from sending a message until its answer is there.")},
        {.title = PipeKindText::tr("On the way"),
         .unit = PipeKindText::tr("messages"),
         .series = {{{}, PipeGauges::OnTheWay}},
         .steps = true,
         .help = PipeKindText::tr("Messages that were sent and have not been received yet.")},
    };
}

QString pipeNoteText(const RunLog &, const RunNote &note)
{
    const QString received = groupedNumber(note.integer("received"_L1));
    const bool isOne = note.integer("received"_L1) == 1;
    if (note.code == "pipe.end_of_file")
        return (isOne ? PipeKindText::tr("The parent got the end of the file after %1 message: the "
                                         "child's end was closed with its process")
                      : PipeKindText::tr("The parent got the end of the file after %1 messages: "
                                         "the child's end was closed with its process"))
            .arg(received);
    const QString messages = groupedNumber(note.integer("messages"_L1));
    if (note.code == "pipe.cut_short")
        return PipeKindText::tr("%1 of %2 messages arrived whole").arg(received, messages);
    if (note.code == "pipe.all_received")
        return isOne
                   ? PipeKindText::tr("The message arrived, whole")
                   : PipeKindText::tr("All %1 messages arrived, whole and in order").arg(received);
    return {};
}

QString pipeDeathText(const DeathFacts &facts)
{
    const quint64 done = facts.log.processes().at(facts.process).done;
    return PipeKindText::tr(
               "It was through with %1 of its %2 messages. What was in the pipe is still "
               "received; then the parent gets the end of the file, as in Python.")
        .arg(groupedNumber(static_cast<qint64>(done)),
             groupedNumber(facts.spec.bigInteger(u"pipe.messages"_s)));
}

QList<Measure> pipeMeasures()
{
    using Better = Measure::Better;
    return {
        {.key = u"messages_per_s"_s,
         .title = PipeKindText::tr("Throughput"),
         .unit = PipeKindText::tr("messages/s"),
         .better = Better::Higher,
         .read = outcomeFigure,
         .sentence = PipeKindText::tr("%1 messages per second from the first to the last")},
        {.key = u"bytes_per_s"_s,
         .title = PipeKindText::tr("Bandwidth"),
         .unit = PipeKindText::tr("bytes/s"),
         .better = Better::Higher,
         .read = outcomeFigure},
        {.key = u"round_trip_s"_s,
         .title = PipeKindText::tr("Round trip, mean"),
         .unit = u"s"_s,
         .better = Better::Lower,
         .read = outcomeFigure},
        {.key = u"messages_sent"_s, .title = PipeKindText::tr("Sent"), .read = outcomeFigure},
        {.key = u"messages_received"_s,
         .title = PipeKindText::tr("Received"),
         .read = outcomeFigure},
        {.key = u"bytes"_s, .title = PipeKindText::tr("Bytes received"), .read = outcomeFigure},
    };
}

QList<PresetInfo> pipePresets()
{
    return {
        {u"pipe-ping-pong"_s, PipeKindText::tr("Question and answer"),
         PipeKindText::tr("The child sends a message and waits for its answer, 200 000 times: "
                          "what counts is the way there and back.")},
        {u"pipe-one-way"_s, PipeKindText::tr("One way, 64 KiB"),
         PipeKindText::tr("Messages only go from the child to the parent: the pipe fills up, and "
                          "send() has to wait.")},
    };
}

} // namespace

Kind pipeKind()
{
    Kind kind;
    kind.name = u"pipe"_s;
    kind.title = PipeKindText::tr("Pipe");
    kind.subtitle = PipeKindText::tr("Two ends, one message after the other");
    kind.code = u"parent_end, child_end = Pipe(duplex={pipe.duplex})"_s;
    kind.schema = pipeFields() + runFields(kind.name);
    kind.items = PipeKindText::tr("messages");
    kind.roles = {{.name = u"process"_s,
                   .title = PipeKindText::tr("Child"),
                   .plural = PipeKindText::tr("Children")}};
    kind.waits = {WaitCause::FullPipe, WaitCause::EmptyPipe};
    kind.gauges = {u"message_rate"_s, u"bandwidth"_s, u"round_trip"_s, u"on_the_way"_s};
    kind.charts = pipeCharts();
    kind.measures = runMeasures() + pipeMeasures();
    kind.presets = pipePresets();
    kind.noteText = pipeNoteText;
    kind.deathText = pipeDeathText;
    kind.explain = explainPipe;
    kind.explanationText = pipeExplanationText;
    kind.makeRunner = makePipeRunner;
    return kind;
}

} // namespace proclab
