// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/process/start_method.h"

#include <QTest>

#include <utility>

namespace proclab::test {

/// The value of a result that a test cannot go on without.
template<typename T>
T made(Result<T> result)
{
    if (!result)
        qFatal("%s", qPrintable(errorText(result.error())));
    return std::move(*result);
}

/// What stood in the way; the result must be an error.
template<typename T>
ErrorCode codeOf(const Result<T> &result)
{
    return result.error().code;
}

/// A row for each start method that workers of a pool or an executor can have, in column "method".
inline void addPoolStartMethods()
{
    QTest::addColumn<StartMethod>("method");
    QTest::newRow("spawn") << StartMethod::Spawn;
    QTest::newRow("forkserver") << StartMethod::ForkServer;
}

/// A row for each start method, in column "method".
inline void addStartMethods()
{
    addPoolStartMethods();
#if !defined(__SANITIZE_THREAD__) // Which knows no threads in a child of many threads.
    QTest::newRow("fork") << StartMethod::Fork;
#endif
}

} // namespace proclab::test
