// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>

namespace proclab {

/// A clean-up action of this process that runs at most once. Like Python's
/// multiprocessing.util.Finalize. An action with an exit priority runs at the latest when the
/// process ends by itself: the highest priority first, and among equal ones the last added first. A
/// forked process starts without any.
///
/// Copies are handles of one action, which stays after the last of them is gone. Threads: any.
class Finalizer
{
public:
    static Finalizer add(std::function<void()> action,
                         std::optional<int> exitPriority = std::nullopt);

    /// Runs the action unless it has run or was cancelled; true if this call ran it.
    bool run() const;
    /// Keeps the action from running; false if it has run.
    bool cancel() const;
    /// True while it has neither run nor been cancelled.
    [[nodiscard]] bool isPending() const;

    struct Action;

private:
    explicit Finalizer(std::shared_ptr<Action> action) : m_action(std::move(action)) {}

    std::shared_ptr<Action> m_action;
};

namespace process_detail {

/// Called in a forked process, which does not run the actions of its parent.
void forgetFinalizers();

} // namespace process_detail

} // namespace proclab
