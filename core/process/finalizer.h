// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>

namespace proclab {

/// A clean-up action of this process that runs once at most, as Python's
/// multiprocessing.util.Finalize. One with an exit priority runs at the latest when the process
/// ends by itself: those of the highest first, of equal ones the last added first. A forked process
/// starts with none.
///
/// Copies are handles of one action, which stays when all of them are gone. Threads: any.
class Finalizer
{
public:
    static Finalizer add(std::function<void()> action,
                         std::optional<int> exitPriority = std::nullopt);

    /// Runs it, if nothing has yet; whether it was this call.
    bool run() const;
    /// It is not to run any more; false if it has.
    bool cancel() const;
    /// It has neither run nor been cancelled.
    [[nodiscard]] bool isPending() const;

    struct Action;

private:
    explicit Finalizer(std::shared_ptr<Action> action) : m_action(std::move(action)) {}

    std::shared_ptr<Action> m_action;
};

namespace process_detail {

/// In a process that was forked: those of its parent are not its.
void forgetFinalizers();

} // namespace process_detail

} // namespace proclab
