// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/process/process_scene.h"

#include "core/runtime/clock.h"

#include <atomic>

#include <unistd.h>

namespace proclab::process {

void Child::run() const
{
    Life &life = lives.storage()[number];
    std::atomic_ref(life.parentPid).store(::getppid(), std::memory_order_relaxed);
    std::atomic_ref(life.beganNs).store(runtime::nowNs(), std::memory_order_release);
    ActivityReport report(cue.activity);
    cue.await(report);
    report.begin(number);
    const Work::Outcome outcome = work.run(number);
    if (outcome.exception) {
        report.fail();
        std::rethrow_exception(outcome.exception);
    }
    report.finish(outcome.spent);
    report.end();
}

void Arrival::run() const
{
    std::atomic_ref(*beganNs.storage()).store(runtime::nowNs(), std::memory_order_relaxed);
}

} // namespace proclab::process
