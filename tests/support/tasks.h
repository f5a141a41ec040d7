// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/call/remote_error.h"
#include "core/executor/executor.h"
#include "tests/support/results.h"

#include <QCoreApplication>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

/// Tasks that tests of executors share, and how a test tells them when to go on: by files.
namespace proclab::test {

/// A folder in which tasks and the test leave each other files.
class Folder
{
public:
    [[nodiscard]] std::string path(const char *name) const
    {
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }
    [[nodiscard]] std::string path() const { return m_folder.path().toStdString(); }
    void make(const char *name) const { makeFile(path(name)); }
    [[nodiscard]] bool has(const char *name) const { return exists(path(name)); }
    [[nodiscard]] int count(const QString &pattern) const
    {
        return static_cast<int>(QDir(m_folder.path()).entryList({pattern}).size());
    }
    static void makeFile(const std::string &path)
    {
        ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    }
    static bool exists(const std::string &path) { return ::access(path.c_str(), F_OK) == 0; }

private:
    QTemporaryDir m_folder;
};

inline std::vector<int> countTo(int count)
{
    std::vector<int> numbers(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        numbers[static_cast<std::size_t>(i)] = i;
    return numbers;
}

// ---- tasks

inline int square(int x)
{
    return x * x;
}

inline int sleepFor(int milliseconds)
{
    ::poll(nullptr, 0, milliseconds);
    return milliseconds;
}

inline qint64 ownPid()
{
    return ::getpid();
}

inline int waitForFile(const std::string &path)
{
    while (!Folder::exists(path))
        ::poll(nullptr, 0, 1);
    return 1;
}

/// Says that it runs by one file, and waits for another.
inline int meet(const std::string &here, const std::string &goOn)
{
    Folder::makeFile(here);
    return waitForFile(goOn);
}

inline int leaveFile(const std::string &path)
{
    Folder::makeFile(path);
    return 1;
}

inline int fail(int number)
{
    throw std::runtime_error("as asked for: " + std::to_string(number));
}

inline int exitWith(int code)
{
    ::_exit(code);
}

inline int endBySignal(int signal)
{
    ::raise(signal);
    return 0;
}

inline int touchForbiddenMemory()
{
    void *page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile int *>(page) = 1;
    return 0;
}

/// Travels as itself.
class Expired : public std::exception
{
public:
    explicit Expired(int number) : value(number) {}
    const char *what() const noexcept override { return "expired"; }

    int value = 0;
};

inline int failAtTwo(int number)
{
    if (number == 2)
        throw Expired(number);
    return number * 10;
}

} // namespace proclab::test

template<>
struct proclab::Codec<proclab::test::Expired>
{
    static void encode(PayloadWriter &writer, const test::Expired &error)
    {
        Codec<int>::encode(writer, error.value);
    }
    static test::Expired decode(PayloadReader &reader)
    {
        return test::Expired(Codec<int>::decode(reader));
    }
};

PROCLAB_EXCEPTION(proclab::test::Expired);
