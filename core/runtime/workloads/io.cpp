// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include "core/runtime/workloads/pause.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

constexpr ArgumentInfo sleepArguments[] = {
    {"min_s", ArgumentType::Number, "s", "The shortest sleep.", 0, 1e6, 0, {}},
    {"max_s", ArgumentType::Number, "s", "The longest sleep.", 0, 1e6, 1, {}, "min_s"},
};

TaskValue sleepFor(const TaskContext &context)
{
    const double least = context.args.number(0);
    const double most = context.args.number(1);
    const double seconds = least + context.uniform() * (most - least);
    pause(seconds, {context.progress});
    return TaskValue::ofNumber(seconds);
}

constexpr ArgumentInfo fileArguments[] = {
    {"bytes", ArgumentType::Integer, "bytes", "Length of the file.", 0, 1e11, 4 << 20, {}},
    {"fsync",
     ArgumentType::Flag,
     "",
     "Wait until the device has the data before they are read back.",
     0,
     1,
     0,
     {}},
};

/// A file that no other process can open by name and that is gone with its descriptor, whatever
/// happens.
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

constexpr std::int64_t patternPeriod = 256;
constexpr std::int64_t pieceSize = 1 << 18; ///< The most that one call transfers.

/// Calls @p step(done, size) for pieces of @p total bytes until all are through or it says 0;
/// returns how many were.
template<typename Step>
std::int64_t transfer(std::int64_t total, ProgressRange progress, const char *what, Step step)
{
    LoopProgress told(progress, total);
    std::int64_t done = 0;
    while (done < total) {
        const ssize_t moved =
            step(done, static_cast<std::size_t>(std::min(pieceSize, total - done)));
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved < 0)
            throw std::system_error(errno, std::generic_category(), what);
        if (moved == 0)
            break;
        done += moved;
        told.at(done);
    }
    return done;
}

TaskValue file(const TaskContext &context)
{
    const std::int64_t bytes = context.args.integer(0);
    const TemporaryFile file;
    std::vector<char> pattern(pieceSize + patternPeriod);
    for (std::size_t k = 0; k < pattern.size(); ++k)
        pattern[k] = static_cast<char>(k);
    // Byte k of the file is k mod 256, also where a piece begins in the middle of the pattern.
    transfer(bytes, {context.progress, 0, 0.5}, "write", [&](std::int64_t done, std::size_t size) {
        return ::write(file.fd(), pattern.data() + done % patternPeriod, size);
    });
    if (context.args.flag(1) && ::fsync(file.fd()) != 0)
        throw std::system_error(errno, std::generic_category(), "fsync");
    std::vector<char> piece(pieceSize);
    const std::int64_t back = transfer(
        bytes, {context.progress, 0.5, 1}, "read", [&](std::int64_t done, std::size_t size) {
            const ssize_t read = ::pread(file.fd(), piece.data(), size, done);
            if (read > 0 && std::memcmp(piece.data(), pattern.data() + done % patternPeriod,
                                        static_cast<std::size_t>(read)) != 0)
                throw std::runtime_error("the file does not hold what was written to it");
            return read;
        });
    return TaskValue::ofInteger(back);
}

constexpr WorkloadInfo ioTable[] = {
    {"io.file", "Write and read a file",
     "Writes bytes k mod 256 to a file without a name in the folder for temporary files, reads "
     "them back and compares them; nothing is left of it.",
     "bytes written and read back", fileArguments, file},
    {"io.sleep", "Sleep",
     "Sleeps min_s + u·(max_s − min_s), with u in [0, 1) from the run's seed and the task's "
     "number.",
     "seconds slept", sleepArguments, sleepFor},
};

} // namespace

std::span<const WorkloadInfo> ioWorkloads()
{
    return ioTable;
}

} // namespace proclab::runtime
