// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/signal_watcher.h"

#include <QSocketNotifier>

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace proclab {

namespace {

volatile std::sig_atomic_t g_pipe = -1;

extern "C" void proclabTellSignal(int number)
{
    const int error = errno;
    const auto byte = static_cast<unsigned char>(number);
    // A full pipe has enough of them already.
    [[maybe_unused]] const ssize_t written = ::write(g_pipe, &byte, 1);
    errno = error;
}

void setHandler(int number, void (*handler)(int))
{
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

} // namespace

SignalWatcher::SignalWatcher(QObject *parent) : QObject(parent)
{
    if (::pipe2(m_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return; // Without descriptors the signals keep their usual effect.
    g_pipe = m_pipe[1];
    m_notifier = new QSocketNotifier(m_pipe[0], QSocketNotifier::Read, this);
    connect(m_notifier, &QSocketNotifier::activated, this, &SignalWatcher::readPipe);
    for (const int number : {SIGINT, SIGTERM})
        setHandler(number, proclabTellSignal);
}

SignalWatcher::~SignalWatcher()
{
    if (m_notifier == nullptr)
        return;
    for (const int number : {SIGINT, SIGTERM})
        setHandler(number, SIG_DFL);
    g_pipe = -1;
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
