// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/worker_main.h"

#include <QCoreApplication>
#include <QTest>

/// As QTEST_GUILESS_MAIN, for a test that is the worker program of its own pools.
#define PROCLAB_WORKER_TEST_MAIN(TestClass)                                                        \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        if (const auto code = proclab::workerMain(argc, argv))                                     \
            return *code;                                                                          \
        QCoreApplication app(argc, argv);                                                          \
        TestClass test;                                                                            \
        return QTest::qExec(&test, argc, argv);                                                    \
    }
