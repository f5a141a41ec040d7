// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/pages.h"

#include "core/experiment/spec/kind.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/shell/planned_page.h"

#include <QCoreApplication>

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
        {u"guide"_s, Learn, tr("Guide"), tr("Lessons: predict, run, compare, explain")}};
    for (const Kind &kind : kinds()) {
        if (kind.page.isEmpty())
            rows.append({kind.name, Lab, kind.title, kind.subtitle});
    }
    rows.append({u"monitor"_s, Observe, tr("Monitor"), tr("Every process of this machine")});
    rows.append({u"runs"_s, Observe, tr("Runs"), tr("What was run before, side by side")});
    return rows;
}

QString pageOf(const Kind &kind)
{
    return kind.page.isEmpty() ? kind.name : kind.page;
}

QString pageOfKind(const QString &kind)
{
    const Kind *row = findKind(kind);
    return row ? pageOf(*row) : QString();
}

Page *makePage(const PageInfo &info, Engine &engine, QWidget *parent)
{
    if (info.make)
        return info.make(engine, parent);
    const Kind *kind = findKind(info.name);
    if (kind && kind->isAvailable())
        return new ExperimentPage(*kind, engine, parent);
    return new PlannedPage(info, parent);
}

} // namespace proclab
