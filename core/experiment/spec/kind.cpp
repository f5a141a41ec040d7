// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"

#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/executor/executor_kind.h"
#include "core/experiment/kinds/fork/fork_kind.h"
#include "core/experiment/kinds/pipe/pipe_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/kinds/process/process_kind.h"
#include "core/experiment/kinds/program/program_kind.h"

#include <QCoreApplication>

#include <algorithm>
#include <vector>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class KindText
{
    Q_DECLARE_TR_FUNCTIONS(Kind)
};

/// A kind that has its place and its name, but can't run yet.
Kind planned(const QString &name, const QString &title, const QString &subtitle,
             const QString &page = {})
{
    Kind kind;
    kind.name = name;
    kind.title = title;
    kind.subtitle = subtitle;
    kind.page = page;
    return kind;
}

/// The table: one line a kind.
std::vector<Kind> makeKinds()
{
    return {
        processKind(),
        forkKind(),
        poolKind(),
        executorKind(),
        pipelineKind(),
        pipeKind(),
        counterKind(),
        programKind(),
        planned(u"gil"_s, KindText::tr("GIL"),
                KindText::tr("Threads with a global lock against processes")),
        planned(u"guard"_s, KindText::tr("Main guard"),
                KindText::tr("Why the main module runs again"), u"process"_s),
        planned(u"exceptions"_s, KindText::tr("Exceptions"),
                KindText::tr("What a child's error looks like"), u"process"_s),
        planned(u"deadlock"_s, KindText::tr("Deadlock"), KindText::tr("Two locks, opposite order"),
                u"counter"_s),
        planned(u"ways"_s, KindText::tr("All ways"),
                KindText::tr("What each way costs, side by side"), u"guide"_s),
    };
}

} // namespace

std::span<const Kind> kinds()
{
    // Never destroyed: the engine's thread may still look when the program ends.
    static const auto *const all = new std::vector<Kind>(makeKinds());
    return *all;
}

const Kind *findKind(const QString &name)
{
    const auto all = kinds();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Kind &kind) { return kind.name == name; });
    return found == all.end() ? nullptr : &*found;
}

QStringList availableKindNames()
{
    QStringList names;
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            names.append(kind.name);
    }
    return names;
}

const Kind &usualKind()
{
    return *findKind(u"pool"_s);
}

} // namespace proclab
