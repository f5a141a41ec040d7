// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/memory/segment.h"

#include "tests/support/forked_child.h"

#include <QTest>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using proclab::runtime::Segment;
using proclab::test::forkChild;
using proclab::test::waitForChild;

namespace {

constexpr std::size_t size = 64 * 1024;

bool isZero(const std::byte *data, std::size_t bytes)
{
    return std::all_of(data, data + bytes, [](std::byte b) { return b == std::byte{}; });
}

qint64 takenBytes(const Segment &segment)
{
    struct stat status = {};
    return ::fstat(segment.fd(), &status) == 0 ? qint64{status.st_blocks} * 512 : -1;
}

/// While it lives no further descriptor can be opened.
class NoMoreDescriptors
{
public:
    NoMoreDescriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &m_before);
        rlimit none = m_before;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &m_before); }
    Q_DISABLE_COPY_MOVE(NoMoreDescriptors)

private:
    rlimit m_before = {};
};

} // namespace

class tst_Segment : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void newSegmentIsZeroAndSparse();
    void attachedSegmentShowsTheSameBytes();
    void forkedChildWritesIntoTheSameMemory();
    void readOnlyViewRefusesWriting();
    void sizeIsSealed();
    void discardedPagesReadAsZero();
    void moveLeavesNothingBehind();
    void destructionClosesTheDescriptor();
    void errorGivesAnInvalidSegment();
};

void tst_Segment::newSegmentIsZeroAndSparse()
{
    const Segment segment = Segment::create("tst_segment", size);
    QVERIFY(segment.isValid());
    QCOMPARE(segment.size(), size);
    QCOMPARE(takenBytes(segment), 0);
    QVERIFY(isZero(segment.data(), size));
    QVERIFY((::fcntl(segment.fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

void tst_Segment::attachedSegmentShowsTheSameBytes()
{
    const Segment segment = Segment::create("tst_segment", size);
    const Segment second = Segment::attach(::dup(segment.fd()), Segment::Access::ReadWrite);
    QVERIFY(second.isValid());
    QCOMPARE(second.size(), size);
    QVERIFY(second.data() != segment.data());
    *segment.at<int>(4096) = 42;
    QCOMPARE(*second.at<int>(4096), 42);
    *second.at<int>(8) = 43;
    QCOMPARE(*segment.at<int>(8), 43);
}

void tst_Segment::forkedChildWritesIntoTheSameMemory()
{
    const Segment segment = Segment::create("tst_segment", size);
    const pid_t child = forkChild([&segment] {
        *segment.at<int>(0) = 7;
        return 0;
    });
    QCOMPARE(waitForChild(child), 0);
    QCOMPARE(*segment.at<int>(0), 7);
}

void tst_Segment::readOnlyViewRefusesWriting()
{
    const Segment segment = Segment::create("tst_segment", size);
    *segment.at<int>(0) = 5;
    const int fd = segment.openReadOnly();
    QVERIFY(fd >= 0);
    QVERIFY((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    const Segment view = Segment::attach(fd, Segment::Access::ReadOnly);
    QVERIFY(view.isValid());
    QCOMPARE(*view.at<int>(0), 5);

    QCOMPARE(::mprotect(view.data(), view.size(), PROT_READ | PROT_WRITE), -1);
    QCOMPARE(errno, EACCES);
    QVERIFY(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    QCOMPARE(errno, EACCES);
    QCOMPARE(::write(fd, "x", 1), -1);
    QVERIFY(!Segment::attach(segment.openReadOnly(), Segment::Access::ReadWrite).isValid());
    QCOMPARE(errno, EACCES);

    const int status = waitForChild(forkChild([&view] {
        ::signal(SIGSEGV, SIG_DFL);
        *static_cast<volatile int *>(view.at<int>(0)) = 6;
        return 0;
    }));
    QVERIFY(WIFSIGNALED(status));
    QCOMPARE(WTERMSIG(status), SIGSEGV);
    QCOMPARE(*segment.at<int>(0), 5);
}

void tst_Segment::sizeIsSealed()
{
    const Segment segment = Segment::create("tst_segment", size);
    for (const off_t other : {off_t{0}, off_t{size / 2}, off_t{size * 2}}) {
        QCOMPARE(::ftruncate(segment.fd(), other), -1);
        QCOMPARE(errno, EPERM);
    }
    QCOMPARE(::fcntl(segment.fd(), F_ADD_SEALS, F_SEAL_WRITE), -1);
    struct stat status = {};
    QCOMPARE(::fstat(segment.fd(), &status), 0);
    QCOMPARE(status.st_size, off_t{size});
}

void tst_Segment::discardedPagesReadAsZero()
{
    const Segment segment = Segment::create("tst_segment", size);
    std::memset(segment.data(), 0x5a, size);
    QCOMPARE(takenBytes(segment), qint64{size});
    segment.discard(16 * 1024, 32 * 1024);
    QCOMPARE(takenBytes(segment), qint64{size - 32 * 1024});
    QVERIFY(isZero(segment.data() + 16 * 1024, 32 * 1024));
    QVERIFY(segment.data()[16 * 1024 - 1] == std::byte{0x5a});
    QVERIFY(segment.data()[48 * 1024] == std::byte{0x5a});
    QCOMPARE(segment.size(), size);
}

void tst_Segment::moveLeavesNothingBehind()
{
    Segment first = Segment::create("tst_segment", size);
    const int fd = first.fd();
    Segment second = std::move(first);
    QVERIFY(!first.isValid()); // NOLINT(bugprone-use-after-move): that is the promise.
    QCOMPARE(first.size(), std::size_t{0});
    QCOMPARE(first.fd(), -1);
    QVERIFY(second.isValid());
    QCOMPARE(second.fd(), fd);
    first = std::move(second);
    QCOMPARE(first.fd(), fd);
    QVERIFY(!second.isValid()); // NOLINT(bugprone-use-after-move)
}

void tst_Segment::destructionClosesTheDescriptor()
{
    int fd = -1;
    {
        const Segment segment = Segment::create("tst_segment", size);
        fd = segment.fd();
        QVERIFY(::fcntl(fd, F_GETFD) >= 0);
    }
    QCOMPARE(::fcntl(fd, F_GETFD), -1);
    QCOMPARE(errno, EBADF);
}

void tst_Segment::errorGivesAnInvalidSegment()
{
    const Segment segment = Segment::create("tst_segment", size);
    {
        const NoMoreDescriptors none;
        errno = 0;
        const Segment refused = Segment::create("tst_segment", size);
        const int createError = errno;
        const int readOnly = segment.openReadOnly();
        const int openError = errno;
        QVERIFY(!refused.isValid());
        QCOMPARE(refused.fd(), -1);
        QCOMPARE(createError, EMFILE);
        QCOMPARE(readOnly, -1);
        QCOMPARE(openError, EMFILE);
    }
    const Segment unknown = Segment::attach(-1, Segment::Access::ReadWrite);
    const int attachError = errno;
    QVERIFY(!unknown.isValid());
    QCOMPARE(attachError, EBADF);
}

QTEST_GUILESS_MAIN(tst_Segment)
#include "tst_segment.moc"
