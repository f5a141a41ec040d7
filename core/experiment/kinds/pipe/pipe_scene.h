// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/scene.h"
#include "core/ipc/connection.h"
#include "core/memory/value.h"

#include <chrono>
#include <cstddef>
#include <tuple>
#include <vector>

namespace proclab::pipe {

/// What travels through the pipe: a message of the child, or the parent's answer to it.
struct Message
{
    quint64 number = 0; ///< The child's own, from 0.
    std::vector<std::byte> bytes = {};

    [[nodiscard]] auto parts() const { return std::tie(number, bytes); }

    /// Makes it message @p newNumber, of @p size bytes.
    void fill(quint64 newNumber, quint32 size);
    /// Whether it is what fill() made.
    [[nodiscard]] bool isWhole() const;
    void turnIntoAnswer();
    [[nodiscard]] bool isAnswerTo(const Message &message) const;
};

/// What both ends know of the conversation.
struct Conversation
{
    bool isDuplex = true; ///< The parent answers each message, and the child checks the answer.
    quint64 messages = 0;
    quint32 messageBytes = 0;
};

/// Sends messages, and receives the answers.
struct Child
{
    Cue cue;
    Connection end;
    Conversation conversation;
    Value<qint64> roundTripsNs; ///< The time from sending messages to having their answers, in all.

    void run() const;
    [[nodiscard]] auto parts() const { return std::tie(cue, end, conversation, roundTripsNs); }
};

/// How long the parent waits for the other end before it looks whether the run is over.
constexpr auto lookUp = std::chrono::milliseconds(50);

template<typename IsOver>
bool sendUntil(const Connection &end, const Message &message, IsOver isOver)
{
    for (;;) {
        const Result<void> sent = end.send(message, lookUp);
        if (sent)
            return true;
        if (sent.error().code != ErrorCode::Timeout || isOver())
            return false;
    }
}

/// The parent's part: receives until the other end is gone or @p isOver(), and answers.
template<typename IsOver>
void receiveAll(const Connection &end, const Conversation &conversation, ActivityReport &report,
                IsOver isOver)
{
    for (quint64 expected = 0; !isOver();) {
        Result<Message> message = end.receive<Message>(lookUp);
        if (!message && message.error().code == ErrorCode::Timeout)
            continue;
        if (!message)
            break;
        report.begin(message->number);
        const bool isRight = message->number == expected++ && message->isWhole();
        message->turnIntoAnswer();
        const bool isHeard = !conversation.isDuplex || sendUntil(end, *message, isOver);
        // It has been received, whether anybody is left for the answer or not.
        if (isRight)
            report.finish();
        else
            report.fail();
        if (!isHeard)
            break;
    }
    report.end();
}

} // namespace proclab::pipe
