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

/// Starts a program from the calling thread: with endWithParent it ends with that thread, too.
/// @p signalMask: the signals that the program begins with blocked.
///
/// Not by QProcess, whose way to start cannot say which of program and working directory is
/// missing, nor tell the error of the system call, nor lead streams to any descriptor; nor by
/// fork(), which copies the tables of this process's memory: the new process shares that memory
/// until it becomes the program, as posix_spawn() does it, and leaves its error there.
Result<LaunchedProgram> launch(const ProgramOptions &options, const sigset_t &signalMask);

} // namespace proclab
