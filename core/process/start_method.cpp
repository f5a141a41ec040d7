// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/start_method.h"

#include "core/runtime/task/process_start.h"

#include <atomic>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

std::atomic<int> theDefault = -1; // -1: the method by which this process was started.

} // namespace

QStringList startMethodNames()
{
    return {u"spawn"_s, u"forkserver"_s, u"fork"_s};
}

QString nameOf(StartMethod method)
{
    return startMethodNames().at(static_cast<int>(method));
}

Result<StartMethod> startMethodOf(const QString &name)
{
    const auto position = startMethodNames().indexOf(name);
    if (position < 0)
        return invalidArgument(u"start_method"_s, u"\"%1\""_s.arg(name),
                               startMethodNames().join(u", "_s));
    return static_cast<StartMethod>(position);
}

StartMethod defaultStartMethod()
{
    const int chosen = theDefault;
    const auto &current = runtime::currentProcess();
    return chosen >= 0              ? static_cast<StartMethod>(chosen)
           : current.parentPid != 0 ? static_cast<StartMethod>(current.startMethod)
                                    : StartMethod::Spawn;
}

void setDefaultStartMethod(StartMethod method)
{
    theDefault = static_cast<int>(method);
}

} // namespace proclab
