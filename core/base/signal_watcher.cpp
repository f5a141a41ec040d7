// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/signal_watcher.h"

#include <QSocketNotifier>

#include <atomic>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace proclab {

namespace {

constexpr int watched[] = {SIGINT, SIGTERM, SIGHUP};
std::atomic<int> writeEnd = -1;
std::atomic<int> signalCount = 0;

void setAll(void (*handler)(int))
{
    for (const int number : watched) {
        struct sigaction now
        {
        };
        ::sigaction(number, nullptr, &now);
        if (now.sa_handler == SIG_IGN)
            continue;
        struct sigaction action
        {
        };
        action.sa_handler = handler;
        action.sa_flags = SA_RESTART;
        for (const int other : watched)
            sigaddset(&action.sa_mask, other);
        ::sigaction(number, &action, nullptr);
    }
}

void handle(int number)
{
    const int error = errno;
    const auto byte = static_cast<unsigned char>(number);
    setAll(SIG_DFL); // The next one ends the program.
    if (signalCount.fetch_add(1) > 0) {
        ::raise(number); // Another thread took the first one at the same time.
    } else {
        [[maybe_unused]] const auto written = ::write(writeEnd, &byte, 1);
    }
    errno = error;
}

} // namespace

SignalWatcher::SignalWatcher(QObject *parent) : QObject(parent)
{
    if (::pipe2(m_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return; // Without descriptors a run fails anyway, and the signals keep their usual effect.
    writeEnd = m_pipe[1];
    m_notifier = new QSocketNotifier(m_pipe[0], QSocketNotifier::Read, this);
    connect(m_notifier, &QSocketNotifier::activated, this, &SignalWatcher::readPipe);
    setAll(handle);
}

SignalWatcher::~SignalWatcher()
{
    if (!m_notifier)
        return;
    setAll(SIG_DFL);
    delete m_notifier;
    ::close(m_pipe[0]);
    ::close(m_pipe[1]);
}

void SignalWatcher::readPipe()
{
    unsigned char number = 0;
    if (::read(m_pipe[0], &number, 1) == 1)
        Q_EMIT signalled(number);
}

} // namespace proclab
