// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/finalizer.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

namespace proclab {

struct Finalizer::Action
{
    std::function<void()>
        function; ///< Guarded by the registry's mutex; empty: not to run any more.
};

namespace {

struct Registry
{
    std::mutex mutex;
    // Guarded by mutex.
    std::multimap<int, std::shared_ptr<Finalizer::Action>> atExit; ///< By priority, as added.
    bool isWatchingExit = false;
};

Registry *theRegistry = new Registry; // Never destroyed: actions may be added until the very end.

std::function<void()> take(Finalizer::Action &action)
{
    const std::lock_guard lock(theRegistry->mutex);
    return std::exchange(action.function, nullptr);
}

void runAtExit()
{
    for (;;) {
        std::unique_lock lock(theRegistry->mutex);
        auto &actions = theRegistry->atExit;
        if (actions.empty())
            return;
        const auto next = std::prev(actions.end()); // Of the highest priority the last added.
        const auto action = std::exchange(next->second->function, nullptr);
        actions.erase(next);
        lock.unlock();
        if (action)
            action();
    }
}

} // namespace

Finalizer Finalizer::add(std::function<void()> action, std::optional<int> exitPriority)
{
    Finalizer added(std::make_shared<Action>(Action{std::move(action)}));
    if (!exitPriority)
        return added;
    const std::lock_guard lock(theRegistry->mutex);
    theRegistry->atExit.emplace(*exitPriority, added.m_action);
    if (!std::exchange(theRegistry->isWatchingExit, true))
        std::atexit(runAtExit);
    return added;
}

bool Finalizer::run() const
{
    const auto function = take(*m_action);
    if (function)
        function();
    return static_cast<bool>(function);
}

bool Finalizer::cancel() const
{
    return static_cast<bool>(take(*m_action));
}

bool Finalizer::isPending() const
{
    const std::lock_guard lock(theRegistry->mutex);
    return static_cast<bool>(m_action->function);
}

void process_detail::forgetFinalizers()
{
    theRegistry = new Registry; // The parent's mutex may be locked here forever.
}

} // namespace proclab
