// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/memory/shared_memory.h"

#include "core/process/finalizer.h"
#include "core/runtime/memory/segment.h"

#include <QDir>
#include <QFile>
#include <QRandomGenerator>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <limits>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

struct SharedMemory::Mapping
{
    ~Mapping()
    {
        if (data)
            ::munmap(data, size);
    }

    QString name;
    void *data = nullptr;
    std::size_t size = 0;
};

namespace {

constexpr int mostTries = 100;

QByteArray pathOf(const QString &name)
{
    return '/' + QFile::encodeName(name);
}

Result<void> checkName(const QString &name)
{
    if (!name.isEmpty() && !name.contains(QChar(0)) && !name.contains(u'/') &&
        pathOf(name).size() < NAME_MAX)
        return {};
    return invalidArgument(
        u"name"_s, name.isEmpty() ? ErrorText::tr("none") : u"\"%1\""_s.arg(name),
        ErrorText::tr("up to %1 bytes, no \"/\" and no zero byte").arg(NAME_MAX - 2));
}

std::mutex ownedMutex;
std::map<QString, Finalizer> owned; // Guarded by it.

/// Has the name removed when this process ends.
void own(const QString &name)
{
    const auto removeLate = [name] {
        if (::shm_unlink(pathOf(name).constData()) == 0)
            std::fprintf(stderr, "proclab: shared memory \"%s\" was left behind, and is removed\n",
                         qPrintable(name));
    };
    const std::lock_guard lock(ownedMutex);
    owned.insert_or_assign(name, Finalizer::add(removeLate, std::numeric_limits<int>::min()));
}

const QString generatedPrefix = u"proclab-shared-"_s;

/// "proclab-shared-PID-NUMBER"
QString generatedName()
{
    return generatedPrefix % QString::number(::getpid()) % u'-' %
           QString::number(QRandomGenerator::global()->generate(), 16);
}

/// Removes generated names of processes that are gone.
void removeLeftovers()
{
    const QDir folder(u"/dev/shm"_s);
    for (const QString &name : folder.entryList({generatedPrefix % u'*'}, QDir::Files)) {
        bool isNumber = false;
        const int pid = name.mid(generatedPrefix.size()).section(u'-', 0, 0).toInt(&isNumber);
        if (isNumber && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH)
            ::shm_unlink(pathOf(name).constData());
    }
}

} // namespace

Result<SharedMemory> SharedMemory::create(qint64 size, const QString &name)
{
    if (name.isNull()) {
        removeLeftovers();
        return create(size, generatedName);
    }
    bool isFirst = true;
    return create(size, [&] { return std::exchange(isFirst, false) ? name : QString(); });
}

Result<SharedMemory> SharedMemory::create(qint64 size, const std::function<QString()> &nextName)
{
    if (size < 1)
        return invalidArgument(u"size"_s, QString::number(size), ErrorText::tr("1 or more"));
    Result<SharedMemory> made = osError({}, EEXIST, ErrorText::tr("name for shared memory"));
    for (int i = 0; i < mostTries; ++i) {
        const QString name = nextName();
        if (i > 0 && name.isNull())
            break;
        if (const auto checked = checkName(name); !checked)
            return checked.error();
        const QByteArray path = pathOf(name);
        const int descriptor = ::shm_open(path.constData(), O_RDWR | O_CREAT | O_EXCL, 0600);
        if (descriptor < 0 && errno == EEXIST) {
            made = osError(name, EEXIST, ErrorText::tr("shared memory"));
            continue;
        }
        if (descriptor < 0)
            return osError(name, errno, ErrorText::tr("shared memory"));
        constexpr qint64 page{runtime::pageBytes};
        const qint64 rounded = (size + page - 1) / page * page;
        if (::ftruncate(descriptor, rounded) != 0) {
            const int code = errno;
            ::close(descriptor);
            ::shm_unlink(path.constData());
            return osError(name, code, ErrorText::tr("shared memory"));
        }
        made = map(descriptor, name);
        if (made)
            own(name);
        else
            ::shm_unlink(path.constData());
        break;
    }
    return made;
}

Result<SharedMemory> SharedMemory::attach(const QString &name, Ownership ownership)
{
    if (const auto checked = checkName(name); !checked)
        return checked.error();
    const int descriptor = ::shm_open(pathOf(name).constData(), O_RDWR, 0);
    if (descriptor < 0)
        return osError(name, errno, ErrorText::tr("shared memory"));
    auto attached = map(descriptor, name);
    if (attached && ownership == Ownership::Owner)
        own(name);
    return attached;
}

/// Closes the descriptor.
Result<SharedMemory> SharedMemory::map(int descriptor, const QString &name)
{
    auto mapping = std::make_shared<Mapping>();
    mapping->name = name;
    struct stat status = {};
    int code = 0;
    if (::fstat(descriptor, &status) != 0) {
        code = errno;
    } else {
        mapping->size = static_cast<std::size_t>(status.st_size);
        void *data =
            ::mmap(nullptr, mapping->size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        code = data == MAP_FAILED ? errno : 0;
        mapping->data = code == 0 ? data : nullptr;
    }
    ::close(descriptor);
    if (code != 0)
        return osError(name, code, ErrorText::tr("shared memory"));
    return SharedMemory(std::move(mapping));
}

Result<void> SharedMemory::remove(const QString &name)
{
    if (const auto checked = checkName(name); !checked)
        return checked;
    {
        const std::lock_guard lock(ownedMutex);
        if (const auto found = owned.find(name); found != owned.end()) {
            found->second.cancel();
            owned.erase(found);
        }
    }
    if (::shm_unlink(pathOf(name).constData()) != 0)
        return osError(name, errno, ErrorText::tr("shared memory"));
    return {};
}

QString SharedMemory::name() const
{
    return m_mapping->name;
}

std::span<std::byte> SharedMemory::bytes() const
{
    return {static_cast<std::byte *>(m_mapping->data), m_mapping->size};
}

} // namespace proclab
