// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/run/experiment_page.h"
#include "ui/shell/main_window.h"

#include <QTest>

namespace proclab::test {

/// Waits for the end of the run that the window shows. A run that takes long, as each may on a busy
/// machine, is stopped: its views are as full then.
inline bool waitForEndOfRun(MainWindow &window)
{
    const auto hasEnded = [&window] { return !window.isAnyRunActive(); };
    if (QTest::qWaitFor(hasEnded, 30'000))
        return true;
    if (window.currentExperiment())
        window.currentExperiment()->stop();
    return QTest::qWaitFor(hasEnded, 60'000);
}

} // namespace proclab::test
