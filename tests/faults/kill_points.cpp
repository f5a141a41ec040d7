// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/faults/kill_points.h"

#include "core/runtime/kill_point.h"

#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>

#include <csignal>
#include <cstring>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab::test {

namespace {

KillPlan *followed = nullptr;

} // namespace

void KillPlan::begin(std::uint64_t newAt, int newSignal, const QString &newOnly)
{
    only.fill('\0');
    std::strncpy(only.data(), newOnly.toLatin1().constData(), only.size() - 1);
    passed.store(0, std::memory_order_relaxed);
    victim.store(0, std::memory_order_relaxed);
    point.fill('\0');
    signal.store(newSignal, std::memory_order_relaxed);
    at.store(newAt, std::memory_order_release);
}

QString KillPlan::pointName() const
{
    return QString::fromLatin1(point.data());
}

void followKillPlan(KillPlan *plan)
{
    followed = plan;
}

QStringList allKillPoints()
{
    QStringList names;
    static const QRegularExpression form(u"PROCLAB_KILL_POINT\\(\"([^\"]+)\"\\)"_s);
    QDirIterator files(QStringLiteral(PROCLAB_RUNTIME_FOLDER), {u"*.h"_s, u"*.cpp"_s}, QDir::Files,
                       QDirIterator::Subdirectories);
    while (files.hasNext()) {
        QFile file(files.next());
        if (!file.open(QIODevice::ReadOnly) || file.fileName().endsWith(u"/kill_point.h"_s))
            continue;
        auto found = form.globalMatch(QString::fromUtf8(file.readAll()));
        while (found.hasNext())
            names.append(found.next().captured(1));
    }
    names.sort();
    return names;
}

} // namespace proclab::test

void proclab::runtime::killPoint(const char *name)
{
    test::KillPlan *const plan = test::followed;
    if (!plan || (plan->only[0] != '\0' && std::strcmp(plan->only.data(), name) != 0))
        return;
    const std::uint64_t number = plan->passed.fetch_add(1, std::memory_order_acq_rel) + 1;
    if (number != plan->at.load(std::memory_order_acquire))
        return;
    std::strncpy(plan->point.data(), name, plan->point.size() - 1);
    plan->victim.store(::getpid(), std::memory_order_release);
    ::kill(::getpid(), plan->signal.load(std::memory_order_relaxed));
}
