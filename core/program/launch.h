// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program/program.h"

#include <array>

#include <sys/types.h>

namespace proclab {

/// An open descriptor, closed with its owner.
class OwnedDescriptor
{
public:
    OwnedDescriptor() = default;
    explicit OwnedDescriptor(int descriptor) : m_descriptor(descriptor) {}
    OwnedDescriptor(OwnedDescriptor &&other) noexcept
        : m_descriptor(std::exchange(other.m_descriptor, -1))
    {}
    OwnedDescriptor &operator=(OwnedDescriptor &&other) noexcept
    {
        std::swap(m_descriptor, other.m_descriptor);
        return *this;
    }
    ~OwnedDescriptor() { reset(); }

    [[nodiscard]] int get() const { return m_descriptor; }
    [[nodiscard]] bool isOpen() const { return m_descriptor >= 0; }
    void reset();

private:
    int m_descriptor = -1;
};

/// A program that has been started, with this process's ends of its pipes.
struct LaunchedProgram
{
    pid_t pid = 0;
    OwnedDescriptor pidFd; ///< Readable once it has ended.
    OwnedDescriptor input;
    OwnedDescriptor output;
    OwnedDescriptor error;
};

/// Starts a program from the calling thread; with endWithParent, the program ends with that thread.
/// The program begins with the signals of @p signalMask blocked.
///
/// QProcess does not do here: it cannot tell a missing program from a missing working directory,
/// hides the errno, and cannot connect streams to any descriptor. fork() would copy the page tables
/// of this process. So the new process shares this one's memory until it becomes the program, like
/// posix_spawn(), and leaves its error there.
Result<LaunchedProgram> launch(const ProgramOptions &options, const sigset_t &signalMask);

} // namespace proclab
