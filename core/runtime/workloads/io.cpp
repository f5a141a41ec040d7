// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include "core/runtime/workloads/pause.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

constexpr ArgumentInfo sleepArguments[] = {
    {"min_s", ArgumentType::Number, "s", "The shortest sleep.", 0, 1e6, 0, {}},
    {"max_s", ArgumentType::Number, "s", "The longest sleep.", 0, 1e6, 1, {}},
};

TaskValue sleepFor(const TaskContext &context)
{
    const double least = context.args.number(0);
    const double most = context.args.number(1);
    const double seconds = least + context.uniform() * (most - least);
    pause(seconds);
    return TaskValue::ofNumber(seconds);
}

constexpr ArgumentInfo fileArguments[] = {
    {"bytes", ArgumentType::Integer, "bytes", "Length of the file.", 0, 1e11, 4 << 20, {}},
    {"fsync", ArgumentType::Flag, "", "Wait until the device has the data.", 0, 1, 0, {}},
};

/// A file that no other process can open by name and that is gone with its descriptor, whatever happens.
class TemporaryFile
{
public:
    TemporaryFile()
    {
        const char *folder = std::getenv("TMPDIR");
        const std::string path = folder && *folder ? folder : "/tmp";
        m_fd = ::open(path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (m_fd < 0) { // A file system without such files.
            std::string pattern = path + "/proclab-XXXXXX";
            m_fd = ::mkostemp(pattern.data(), O_CLOEXEC);
            if (m_fd >= 0)
                ::unlink(pattern.c_str());
        }
        if (m_fd < 0)
            throw std::system_error(errno, std::generic_category(), "temporary file in " + path);
    }
    ~TemporaryFile() { ::close(m_fd); }
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;

    [[nodiscard]] int fd() const { return m_fd; }

private:
    int m_fd;
};

/// Does @p step, a read or write of the rest of @p buffer, until @p total bytes are through; returns how many were.
template<typename Step>
std::int64_t transfer(std::vector<char> &buffer, std::int64_t total, const char *what, Step step)
{
    std::int64_t through = 0;
    while (through < total) {
        const auto size = static_cast<std::size_t>(
            std::min<std::int64_t>(static_cast<std::int64_t>(buffer.size()), total - through));
        const ssize_t moved = step(buffer.data(), size);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved < 0)
            throw std::system_error(errno, std::generic_category(), what);
        if (moved == 0)
            break;
        through += moved;
    }
    return through;
}

TaskValue file(const TaskContext &context)
{
    const std::int64_t bytes = context.args.integer(0);
    const TemporaryFile file;
    std::vector<char> buffer(1 << 18);
    for (std::size_t k = 0; k < buffer.size(); ++k)
        buffer[k] = static_cast<char>(k);
    transfer(buffer, bytes, "write", [&](char *data, std::size_t size) { return ::write(file.fd(), data, size); });
    if (context.args.flag(1) && ::fsync(file.fd()) != 0)
        throw std::system_error(errno, std::generic_category(), "fsync");
    ::lseek(file.fd(), 0, SEEK_SET);
    const std::int64_t back = transfer(buffer, bytes, "read", [&](char *data, std::size_t size) {
        return ::read(file.fd(), data, size);
    });
    return TaskValue::ofInteger(back);
}

constexpr WorkloadInfo table[] = {
    {"io.file", "Write and read a file",
     "Writes bytes k mod 256 to a temporary file and reads them back; the file is gone afterwards.",
     "bytes written and read back", fileArguments, file},
    {"io.sleep", "Sleep", "Sleeps min_s + u·(max_s − min_s), u drawn from the run's seed for each task.",
     "seconds slept", sleepArguments, sleepFor},
};

} // namespace

std::span<const WorkloadInfo> ioWorkloads()
{
    return table;
}

} // namespace proclab::runtime
