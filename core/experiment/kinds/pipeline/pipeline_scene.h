// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/scene.h"
#include "core/ipc/queue.h"

#include <QByteArray>

#include <cstddef>
#include <tuple>
#include <vector>

namespace proclab::pipeline {

/// Bytes of items that can wait in the queue.
constexpr qint64 mostQueueBytes = qint64{8} << 30;

/// What travels through the queue.
struct Item
{
    quint32 producer = 0;
    quint64 number = 0; ///< Among those of all producers, which number theirs in turn, from 0.
    qint64 putNs = 0;   ///< When it was made, on the clock of runtime::nowNs(), to some µs.
    std::vector<std::byte> bytes = {};
};

} // namespace proclab::pipeline

template<>
struct proclab::Codec<proclab::pipeline::Item>
{
    using Item = pipeline::Item;
    struct Head
    {
        quint64 number;
        qint64 putNs;
        quint32 producer;
        quint32 bytes;
    };

    static void encode(PayloadWriter &writer, const Item &item)
    {
        const Head head{item.number, item.putNs, item.producer,
                        static_cast<quint32>(item.bytes.size())};
        writer.raw(&head, sizeof head);
        writer.raw(item.bytes.data(), item.bytes.size());
    }
    static Head decodeHead(PayloadReader &reader) { return Codec<Head>::decode(reader); }
    static Item decode(PayloadReader &reader)
    {
        const Head head = decodeHead(reader);
        const auto bytes = reader.raw(head.bytes);
        return {head.producer, head.number, head.putNs, {bytes.begin(), bytes.end()}};
    }
};

namespace proclab::pipeline {

/// What all producers do alike.
struct Production
{
    /// The number among all items of the one that is number @p own of a producer.
    [[nodiscard]] quint64 numberOf(quint32 ordinal, quint64 own) const
    {
        return own * producers + ordinal;
    }

    quint32 producers = 1;
    quint64 itemsEach = 0;
    quint32 itemBytes = 0;
    std::vector<QByteArray> texts = {}; ///< Sent instead of filled items, if there are any.
    Work work = {};

    [[nodiscard]] auto parts() const
    {
        return std::tie(producers, itemsEach, itemBytes, texts, work);
    }
};

struct Producer
{
    Cue cue;
    Queue<Item> queue;
    Production production;
    quint32 ordinal = 0;
    quint64 next = 0; ///< The item to begin with, among its own.

    void run() const;
    [[nodiscard]] auto parts() const { return std::tie(cue, queue, production, ordinal, next); }

private:
    void fill(Item &item) const;
};

struct Consumer
{
    Cue cue;
    Queue<Item> queue;
    Work work;
    bool areFilled = true; ///< Items are, by their producer, and are checked.

    void run() const;
    [[nodiscard]] auto parts() const { return std::tie(cue, queue, work, areFilled); }
};

} // namespace proclab::pipeline
