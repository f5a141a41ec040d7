// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/linux_process_source.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace proclab {

namespace {

/// The content of a small file that is kept open; empty if the process is gone.
std::string_view readAgain(int fd, std::array<char, 1024> &buffer)
{
    const ssize_t size = fd >= 0 ? ::pread(fd, buffer.data(), buffer.size(), 0) : -1;
    return size > 0 ? std::string_view(buffer.data(), static_cast<std::size_t>(size))
                    : std::string_view();
}

/// The @p position-th number (from 0) of a line of numbers.
std::optional<quint64> numberAt(std::string_view line, int position)
{
    std::size_t begin = 0;
    for (; position > 0; --position) {
        begin = line.find(' ', begin);
        if (begin == std::string_view::npos)
            return std::nullopt;
        ++begin;
    }
    std::uint64_t number = 0;
    const auto [end, error] =
        std::from_chars(line.data() + begin, line.data() + line.size(), number);
    return error == std::errc() ? std::optional<quint64>(number) : std::nullopt;
}

/// The PID that a folder is named after; 0: it is no process's.
qint64 pidOf(std::string_view folder)
{
    qint64 pid = 0;
    const auto [end, error] = std::from_chars(folder.data(), folder.data() + folder.size(), pid);
    return error == std::errc() && end == folder.data() + folder.size() ? pid : 0;
}

/// The second number of a schedstat: nanoseconds on a run queue, waiting for a core.
std::optional<qint64> readyIn(int schedstat)
{
    std::array<char, 1024> buffer;
    const auto number = numberAt(readAgain(schedstat, buffer), 1);
    return number ? std::optional<qint64>(static_cast<qint64>(*number)) : std::nullopt;
}

/// The same for every thread in an open /proc/PID/task.
std::optional<qint64> readyOfThreads(int taskFolder)
{
    const int copy = ::openat(taskFolder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR *)> folder(copy >= 0 ? ::fdopendir(copy) : nullptr,
                                                      &::closedir);
    if (!folder)
        return std::nullopt;
    qint64 sum = 0;
    while (const dirent *entry = ::readdir(folder.get())) {
        if (entry->d_name[0] == '.')
            continue;
        const std::string path = std::string(entry->d_name) + "/schedstat";
        const int fd = ::openat(taskFolder, path.c_str(), O_RDONLY | O_CLOEXEC);
        sum += readyIn(fd).value_or(0); // A thread may end at any time.
        if (fd >= 0)
            ::close(fd);
    }
    return sum;
}

/// The folder of a process's threads has a link for each of them, beside its two own.
bool hasOneThread(int taskFolder)
{
    struct stat status = {};
    return ::fstat(taskFolder, &status) == 0 && status.st_nlink == 3;
}

} // namespace

LinuxProcessSource::~LinuxProcessSource()
{
    while (!m_open.empty())
        close(m_open.begin());
}

std::string LinuxProcessSource::path(qint64 pid, const char *name) const
{
    return m_folder + '/' + std::to_string(pid) + '/' + name;
}

std::optional<ProcessEntry> LinuxProcessSource::statOf(qint64 pid) const
{
    const int fd = ::open(path(pid, "stat").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return std::nullopt;
    std::array<char, 1024> buffer;
    const std::string_view line = readAgain(fd, buffer);
    ::close(fd);
    // The name may itself contain ") ", so the numbers begin after the last one. State is field 3,
    // the parent field 4, the start field 22.
    const std::size_t nameBegin = line.find('(');
    const std::size_t nameEnd = line.rfind(')');
    if (nameBegin >= nameEnd || nameEnd == std::string_view::npos || nameEnd + 2 >= line.size())
        return std::nullopt;
    const std::string_view fields = line.substr(nameEnd + 2);
    const auto parent = numberAt(fields, 1);
    const auto startTicks = numberAt(fields, 19);
    if (!parent || !startTicks)
        return std::nullopt;
    const std::string_view name = line.substr(nameBegin + 1, nameEnd - nameBegin - 1);
    return ProcessEntry{{pid, *startTicks},
                        static_cast<qint64>(*parent),
                        QByteArray(name.data(), static_cast<qsizetype>(name.size())),
                        fields.front()};
}

std::vector<ProcessEntry> LinuxProcessSource::list()
{
    std::vector<ProcessEntry> entries;
    const std::unique_ptr<DIR, int (*)(DIR *)> folder(::opendir(m_folder.c_str()), &::closedir);
    if (!folder)
        return entries;
    while (const dirent *entry = ::readdir(folder.get())) {
        const qint64 pid = pidOf(entry->d_name);
        if (const auto process = pid > 0 ? statOf(pid) : std::nullopt)
            entries.push_back(*process);
    }
    std::sort(entries.begin(), entries.end(),
              [](const ProcessEntry &a, const ProcessEntry &b) { return a.key.pid < b.key.pid; });
    return entries;
}

std::optional<ProcessKey> LinuxProcessSource::identify(qint64 pid)
{
    const auto process = statOf(pid);
    return process ? std::optional(process->key) : std::nullopt;
}

std::optional<char> LinuxProcessSource::stateOf(const ProcessKey &key)
{
    const auto process = statOf(key.pid);
    return process && process->key == key ? std::optional(process->state) : std::nullopt;
}

LinuxProcessSource::OpenFiles::iterator LinuxProcessSource::filesOf(const ProcessKey &key)
{
    auto found = m_open.find(key.pid);
    if (found != m_open.end() && found->second.startTicks == key.startTicks)
        return found;
    if (found != m_open.end())
        close(found); // The PID has been used again since.
    Files files;
    files.startTicks = key.startTicks;
    files.statm = ::open(path(key.pid, "statm").c_str(), O_RDONLY | O_CLOEXEC);
    files.taskFolder = ::open(path(key.pid, "task").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    files.schedstat = ::open(path(key.pid, "schedstat").c_str(), O_RDONLY | O_CLOEXEC);
    const bool hasClock = ::clock_getcpuclockid(static_cast<pid_t>(key.pid), &files.cpuClock) == 0;
    found = m_open.emplace(key.pid, files).first;
    // From here on the kept descriptors prove the identity: they fail once this process is gone.
    if (hasClock && files.statm >= 0 && identify(key.pid) == key)
        return found;
    close(found);
    return m_open.end();
}

void LinuxProcessSource::close(OpenFiles::iterator files)
{
    for (const int fd : {files->second.statm, files->second.taskFolder, files->second.schedstat}) {
        if (fd >= 0)
            ::close(fd);
    }
    m_open.erase(files);
}

std::optional<ProcessCounters> LinuxProcessSource::read(const ProcessKey &key)
{
    const auto found = filesOf(key);
    if (found == m_open.end())
        return std::nullopt;
    const Files &files = found->second;
    std::array<char, 1024> buffer;
    const std::string_view statm = readAgain(files.statm, buffer);
    if (statm.empty())
        return std::nullopt;
    ProcessCounters counters;
    static const auto pageSize = static_cast<quint64>(::sysconf(_SC_PAGESIZE));
    if (const auto pages = numberAt(statm, 1))
        counters.residentBytes = *pages * pageSize;
    if (const auto pages = numberAt(statm, 2))
        counters.sharedBytes = *pages * pageSize;
    counters.readyNs = hasOneThread(files.taskFolder) ? readyIn(files.schedstat)
                                                      : readyOfThreads(files.taskFolder);
    // Last, so that the least time passes until the caller looks at the clock.
    timespec cpu = {};
    if (::clock_gettime(files.cpuClock, &cpu) != 0)
        return std::nullopt;
    counters.cpuNs = qint64{cpu.tv_sec} * 1'000'000'000 + cpu.tv_nsec;
    return counters;
}

void LinuxProcessSource::forget(const ProcessKey &key)
{
    const auto found = m_open.find(key.pid);
    if (found != m_open.end() && found->second.startTicks == key.startTicks)
        close(found);
}

qint64 LinuxProcessSource::nowNs() const
{
    timespec now = {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return qint64{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace proclab
