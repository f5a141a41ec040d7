// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/segment.h"

#include <string>

#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace proclab::test {

/// Memory that a test shares with the worker processes of its pools beside the engine's own: it
/// leaves what they did readable after their deaths. T is valid when filled with zeros.
///
/// The program makes it before it opens a pool; workers find it by the environment.
template<typename T>
class SharedNote
{
public:
    /// In the program. @p variable: of the environment, different for each note.
    explicit SharedNote(const char *variable)
        : m_segment(runtime::Segment::create("proclab-test-note", sizeof(T)))
    {
        const std::string path =
            "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(m_segment.fd());
        ::setenv(variable, path.c_str(), 1);
    }
    T &operator*() const { return *m_segment.at<T>(0); }
    T *operator->() const { return m_segment.at<T>(0); }

    /// In a worker; null: there is none, or the program is gone.
    static T *find(const char *variable)
    {
        const char *path = std::getenv(variable);
        const int fd = path ? ::open(path, O_RDWR | O_CLOEXEC) : -1;
        if (fd < 0)
            return nullptr;
        static runtime::Segment segment;
        segment = runtime::Segment::attach(fd, runtime::Segment::Access::ReadWrite);
        return segment.isValid() ? segment.at<T>(0) : nullptr;
    }

private:
    runtime::Segment m_segment;
};

} // namespace proclab::test
