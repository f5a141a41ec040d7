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
    for (quint64 number = next; number < production.itemsEach; ++number) {
        // Among those of all producers.
        const quint64 index = number * production.producers + ordinal;
        if (texts != 0 && index >= texts)
            break;
        report.begin(number);
        const Work::Outcome made = production.work.run(index);
        if (!made.isGood) {
            report.fail();
            continue;
        }
        report.setSpent(made.spent);
        item.number = number;
        // Without work an item takes some nanoseconds: reading the clock would double that.
        item.putNs =
            production.work.workload == Work::none ? report.lastReadingNs() : runtime::nowNs();
        fill(item, index);
        if (!queue.put(item))
            return;
        report.finish(made.spent);
    }
    report.end();
}

/// With what number @p index of all carries.
void Producer::fill(Item &item, quint64 index) const
{
    if (!production.texts.empty()) {
        const QByteArray &text = production.texts[index];
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
        if (used.isGood)
            report.finish(used.spent);
        else
            report.fail();
    }
    report.end();
}

} // namespace proclab::pipeline
