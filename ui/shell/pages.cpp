// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/pages.h"

#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

#include <algorithm>
#include <utility>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("Pages", text);
}

} // namespace

QList<PageInfo> pages()
{
    using enum PageInfo::Group;
    QList<PageInfo> rows{
        {u"guide"_s, Learn, tr("Guide"), tr("Lessons: predict, run, compare, explain")},
        {u"process"_s, Lab, tr("Process"), tr("Start, name, join and end single processes")},
        {u"fork"_s, Lab, tr("Fork"), tr("A copy of a process, page by page")},
        {u"pool"_s, Lab, tr("Pool"), tr("Workers share one task queue")},
        {u"executor"_s, Lab, tr("Executor"), tr("Futures, in order or as they complete")},
        {u"pipeline"_s, Lab, tr("Queue pipeline"), tr("Producers, queue, consumers")},
        {u"pipe"_s, Lab, tr("Pipe"), tr("Two ends, one message after the other")},
        {u"counter"_s, Lab, tr("Shared counter"), tr("One number, several processes")},
        {u"program"_s, Lab, tr("Program"), tr("External programs and what they print")},
        {u"gil"_s, Lab, tr("GIL"), tr("Threads with a global lock against processes")},
        {u"monitor"_s, Observe, tr("Monitor"), tr("Every process of this machine")},
        {u"runs"_s, Observe, tr("Runs"), tr("What was run before, side by side")},
    };
    for (PageInfo &row : rows) {
        const Kind *kind = findKind(row.name);
        if (kind != nullptr && kind->isAvailable()) {
            row.title = kind->title;
            row.subtitle = kind->subtitle;
        }
    }
    return rows;
}

QString pageOfKind(const QString &kind)
{
    static const std::pair<QString, QString> guests[] = {
        {u"guard"_s, u"process"_s},
        {u"exceptions"_s, u"process"_s},
        {u"deadlock"_s, u"counter"_s},
        {u"ways"_s, u"guide"_s},
    };
    for (const auto &[guest, page] : guests) {
        if (guest == kind)
            return page;
    }
    const QList<PageInfo> rows = pages();
    const bool known = std::any_of(rows.cbegin(), rows.cend(),
                                   [&kind](const PageInfo &row) { return row.name == kind; });
    return known ? kind : QString();
}

} // namespace proclab
