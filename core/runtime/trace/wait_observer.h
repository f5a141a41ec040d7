// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <utility>

namespace proclab::runtime {

/// What a thread waits for, as far as its observer tells waits apart.
enum class WaitFor : std::uint8_t {
    Signal, ///< An event, a condition, a barrier, a semaphore, or the end of tasks.
    Room,   ///< In a queue or pipe that is full.
    Item,   ///< In a queue or pipe that is empty.
    Lock,
};
constexpr std::uint32_t waitForCount = 4;

/// Is told of the waits of one thread for shared objects, from when it has looked in vain for a
/// microsecond or two, thus before the thread sleeps. Costs a wait nothing but a look at a thread's
/// variable where there is no observer.
class WaitObserver
{
public:
    virtual void waitBegan(WaitFor subject) = 0;
    virtual void waitEnded() = 0;

    /// The calling thread's; null: none.
    [[nodiscard]] static WaitObserver *current() { return s_current; }
    /// Returns the one before.
    static WaitObserver *setCurrent(WaitObserver *observer)
    {
        return std::exchange(s_current, observer);
    }

protected:
    WaitObserver() = default;
    ~WaitObserver() = default;
    WaitObserver(const WaitObserver &) = delete;
    WaitObserver &operator=(const WaitObserver &) = delete;

private:
    inline static thread_local WaitObserver *s_current = nullptr;
};

/// The calling thread waits until the end of the scope. A wait in a wait is a part of it.
class ObservedWait
{
public:
    explicit ObservedWait(WaitFor subject) : m_observer(WaitObserver::setCurrent(nullptr))
    {
        if (m_observer)
            m_observer->waitBegan(subject);
    }
    ~ObservedWait()
    {
        if (!m_observer)
            return;
        m_observer->waitEnded();
        WaitObserver::setCurrent(m_observer);
    }
    ObservedWait(const ObservedWait &) = delete;
    ObservedWait &operator=(const ObservedWait &) = delete;

private:
    WaitObserver *const m_observer;
};

} // namespace proclab::runtime
