// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_scene.h"

#include "core/experiment/run/filled_bytes.h"

namespace proclab::pipeline {

namespace {

/// Of a filled item's bytes.
quint64 seedOf(const Item &item)
{
    return item.producer * quint64{31} + item.number * 7;
}

} // namespace

void Producer::run() const
{
    ActivityReport report(cue.activity);
    cue.await(report);
    const auto texts = static_cast<quint64>(production.texts.size());
    Item item{ordinal};
    for (quint64 own = next; own < production.itemsEach; ++own) {
        item.number = production.numberOf(ordinal, own);
        if (texts != 0 && item.number >= texts)
            break;
        // A summary of items takes their numbers to follow each other.
        report.begin(own);
        const Work::Outcome made = production.work.run(item.number);
        if (!made.isGood()) {
            report.fail();
            continue;
        }
        report.setSpent(made.spent);
        // Without work an item takes some nanoseconds: reading the clock would double that.
        item.putNs =
            production.work.workload == Work::none ? report.lastReadingNs() : runtime::nowNs();
        fill(item);
        if (!queue.put(item))
            return;
        report.finish(made.spent);
    }
    report.end();
}

/// With what the item of this number carries.
void Producer::fill(Item &item) const
{
    if (!production.texts.empty()) {
        const QByteArray &text = production.texts[item.number];
        const auto *begin = reinterpret_cast<const std::byte *>(text.constData());
        item.bytes.assign(begin, begin + text.size());
        return;
    }
    item.bytes.resize(production.itemBytes);
    fillBytes(item.bytes, seedOf(item));
}

void Consumer::run() const
{
    ActivityReport report(cue.activity);
    cue.await(report);
    for (;;) {
        const Result<Item> item = queue.get();
        if (!item && item.error().code != ErrorCode::EndOfStream)
            return;
        if (!item)
            break;
        report.begin(item->number);
        if (areFilled && !isFilled(item->bytes, seedOf(*item))) {
            report.fail();
            continue;
        }
        const Work::Outcome used = work.run(item->number);
        if (used.isGood())
            report.finish(used.spent);
        else
            report.fail();
    }
    report.end();
}

} // namespace proclab::pipeline
