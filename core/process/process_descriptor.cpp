// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/process_descriptor.h"

#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proclab {

Result<ProcessDescriptor> ProcessDescriptor::open(qint64 pid)
{
    const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
    if (fd < 0)
        return osError(QString::number(pid), errno, ErrorText::tr("descriptor of a process"));
    return ProcessDescriptor(fd);
}

ProcessDescriptor::ProcessDescriptor(ProcessDescriptor &&other) noexcept
    : m_fd(std::exchange(other.m_fd, -1))
{}

ProcessDescriptor &ProcessDescriptor::operator=(ProcessDescriptor &&other) noexcept
{
    std::swap(m_fd, other.m_fd);
    return *this;
}

ProcessDescriptor::~ProcessDescriptor()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

bool ProcessDescriptor::hasEnded() const
{
    pollfd polled{m_fd, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
}

void ProcessDescriptor::sendSignal(int number) const
{
    (void)::syscall(SYS_pidfd_send_signal, m_fd, number, nullptr, 0);
}

} // namespace proclab
