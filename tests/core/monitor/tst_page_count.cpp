// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/page_count.h"

#include <QTest>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace proclab;

namespace {

constexpr std::size_t pages = 100;

/// What a forked process counts once it has written to @p written pages: its own, or else -1.
int ownPagesAfterFork(std::span<std::byte> memory, std::size_t written)
{
    const pid_t child = ::fork();
    if (child == 0) {
        for (std::size_t i = 0; i < written; ++i)
            memory[i * pageSize()] = std::byte{2};
        const auto count = countPages(memory);
        ::_exit(count && count->own + count->shared == pages ? static_cast<int>(count->own) : 255);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

} // namespace

class tst_PageCount : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void pagesInMemoryAreOwn();
    void pagesNotInMemoryAreNeither();
    void writtenPagesAreOwnAfterAFork_data();
    void writtenPagesAreOwnAfterAFork();
    void memoryOfAllIsCounted();

private:
    std::span<std::byte> m_memory;
};

void tst_PageCount::initTestCase()
{
    void *const begin = ::mmap(nullptr, pages * pageSize(), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    QVERIFY(begin != MAP_FAILED);
    m_memory = {static_cast<std::byte *>(begin), pages * pageSize()};
    QCOMPARE(::madvise(begin, m_memory.size(), MADV_NOHUGEPAGE), 0);
    if (!countPages(m_memory))
        QSKIP("This kernel does not tell whose pages are.");
    const auto count = countPages(m_memory);
    QCOMPARE(count->own + count->shared, 0U); // Nothing was written yet.
    std::fill(m_memory.begin(), m_memory.end(), std::byte{1});
}

void tst_PageCount::pagesInMemoryAreOwn()
{
    const auto count = countPages(m_memory);
    QVERIFY(count);
    QCOMPARE(count->own, pages);
    QCOMPARE(count->shared, 0U);
    QCOMPARE(countPages(m_memory.first(3 * pageSize()))->own, 3U);
    QCOMPARE(countPages({})->own, 0U);
}

void tst_PageCount::pagesNotInMemoryAreNeither()
{
    const auto tail = m_memory.last(10 * pageSize());
    QCOMPARE(::madvise(tail.data(), tail.size(), MADV_DONTNEED), 0);
    const auto count = countPages(m_memory);
    std::fill(tail.begin(), tail.end(), std::byte{1});
    QCOMPARE(count->own + count->shared, pages - 10);
}

void tst_PageCount::writtenPagesAreOwnAfterAFork_data()
{
    QTest::addColumn<int>("written");
    for (const int written : {0, 1, 37, 100})
        QTest::addRow("%d", written) << written;
}

void tst_PageCount::writtenPagesAreOwnAfterAFork()
{
    QFETCH(const int, written);
    QCOMPARE(ownPagesAfterFork(m_memory, static_cast<std::size_t>(written)), written);
    QCOMPARE(countPages(m_memory)->own, pages); // Now that the child is gone.
}

void tst_PageCount::memoryOfAllIsCounted()
{
    const auto count = countMemory();
    if (!count)
        QSKIP("This kernel does not tell.");
    QVERIFY(count->privateDirty >= m_memory.size());
    QVERIFY(count->privateDirty % 1'024 == 0);
}

QTEST_GUILESS_MAIN(tst_PageCount)
#include "tst_page_count.moc"
