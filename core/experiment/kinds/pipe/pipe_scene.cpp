// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipe/pipe_scene.h"

#include "core/experiment/run/filled_bytes.h"

#include <atomic>

namespace proclab::pipe {

namespace {

quint64 seedOf(quint64 number)
{
    return number * 7;
}
quint64 seedOfAnswer(quint64 number)
{
    return seedOf(number) + 1;
}

} // namespace

void Message::fill(quint64 newNumber, quint32 size)
{
    number = newNumber;
    bytes.resize(size);
    fillBytes(bytes, seedOf(number));
}

bool Message::isWhole() const
{
    return isFilled(bytes, seedOf(number));
}

void Message::turnIntoAnswer()
{
    fillBytes(bytes, seedOfAnswer(number));
}

bool Message::isAnswerTo(const Message &message) const
{
    return number == message.number && bytes.size() == message.bytes.size() &&
           isFilled(bytes, seedOfAnswer(number));
}

void Child::run() const
{
    ActivityReport report(cue.activity);
    cue.await(report);
    const std::atomic_ref tripsNs(*roundTripsNs.storage());
    Message message;
    for (quint64 number = 0; number < conversation.messages; ++number) {
        report.begin(number);
        message.fill(number, conversation.messageBytes);
        const qint64 sentNs = conversation.isDuplex ? runtime::nowNs() : 0;
        if (!end.send(message))
            return;
        if (!conversation.isDuplex) {
            report.finish();
            continue;
        }
        const Result<Message> answer = end.receive<Message>();
        if (!answer)
            return;
        tripsNs.fetch_add(runtime::nowNs() - sentNs, std::memory_order_relaxed);
        if (answer->isAnswerTo(message))
            report.finish();
        else
            report.fail();
    }
    report.end();
}

} // namespace proclab::pipe
