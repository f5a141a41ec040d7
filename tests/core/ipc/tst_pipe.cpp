// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/codec.h"
#include "core/ipc/connection.h"
#include "core/ipc/queue.h"
#include "core/pool/pool.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>

#include <array>
#include <csignal>
#include <map>
#include <optional>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

using Message = std::tuple<int, std::string, std::vector<double>>;

// What other processes do.

/// Sends back what comes, until a message of no bytes.
int echo(Connection connection)
{
    for (int count = 0;; ++count) {
        const auto bytes = connection.receiveBytes(60s);
        if (!bytes || bytes->isEmpty())
            return count;
        (void)connection.sendBytes(*bytes);
    }
}

void echoOne(Connection connection)
{
    (void)connection.send(*connection.receive<Message>(60s));
}

void sendNumbers(Connection connection, int count, int pauseMs)
{
    for (int i = 0; i < count; ++i) {
        if (pauseMs > 0)
            ::poll(nullptr, 0, (i * 7 + ::getpid()) % pauseMs);
        (void)connection.send(i);
    }
}

std::vector<int> receiveAll(Connection connection)
{
    std::vector<int> all;
    while (const auto number = connection.receive<int>(60s))
        all.push_back(*number);
    return all;
}

void dieWith(Connection)
{
    ::kill(::getpid(), SIGKILL);
}

/// Uses an end that comes over another.
void useWhatComes(Connection connection)
{
    (void)connection.receive<Connection>(60s)->send(5);
}

void useWhatIsQueued(Queue<Connection> queue)
{
    (void)queue.get(60s)->send(6);
}

QByteArray bytesOf(qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    for (qsizetype i = 0; i < size; ++i)
        bytes[i] = char(i * 31 + i / 257);
    return bytes;
}

} // namespace

class tst_Pipe : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void messagesComeBack_data() { test::addStartMethods(); }
    void messagesComeBack();
    void receivesIntoABuffer();
    void pollLooksForMessages();
    void largeMessageComesBack_data() { test::addStartMethods(); }
    void largeMessageComesBack();
    void endOfStreamOnceTheOtherEndIsGone_data() { test::addStartMethods(); }
    void endOfStreamOnceTheOtherEndIsGone();
    void oneWayPipeGoesOneWay();
    void partOfABufferIsSent();
    void closedEndRefuses();
    void messagesStayApart();
    void endsTravel_data() { test::addStartMethods(); }
    void endsTravel();
    void pipeStaysWhileItsEndsAreOnTheirWay();
    void waitCollectsAll_data();
    void waitCollectsAll();
    void waitGivesUp();
    void waitKnowsDescriptors();
    void wrongDescriptorsAreRefused();
    void deadReaderBreaksThePipe_data() { test::addStartMethods(); }
    void deadReaderBreaksThePipe();
    void fullPipeWaits_data() { test::addStartMethods(); }
    void fullPipeWaits();
    void longMessagesDoNotPileUp();
    void nothingStays();

private:
    [[nodiscard]] static Pool pool(int workers);
};

Pool tst_Pipe::pool(int workers)
{
    QFETCH(const StartMethod, method);
    return made(Pool::open({.workers = workers, .startMethod = method}));
}

// PC-01
void tst_Pipe::messagesComeBack()
{
    Pool others = pool(1);
    const auto [here, there] = made(Pipe::create());
    for (const Connection &end : {here, there})
        QVERIFY(end.isReadable() && end.isWritable());
    const auto echoed = others.applyAsync<echoOne>(there);
    const Message message = {7, "seven", {1.5, -2.25}};
    QVERIFY(here.send(message));
    QCOMPARE(*here.receive<Message>(60s), message);
    QVERIFY(echoed.result(60s));
    const auto raw = others.applyAsync<echo>(there);
    QVERIFY(here.sendBytes("raw \0 bytes"_qba));
    QCOMPARE(*here.receiveBytes(60s), "raw \0 bytes"_qba);
    QVERIFY(here.sendBytes({}));
    QCOMPARE(*raw.result(60s), 1);
    others.terminate();
}

// PC-02
void tst_Pipe::receivesIntoABuffer()
{
    const auto [here, there] = made(Pipe::create());
    std::array<std::byte, 10> buffer = {};
    QByteArray tooLong;
    QVERIFY(there.sendBytes("abc"));
    QCOMPARE(*here.receiveInto(buffer, tooLong), 3);
    QVERIFY(there.sendBytes("xy"));
    QCOMPARE(*here.receiveInto(buffer, tooLong, 5), 2);
    QCOMPARE(QByteArray(reinterpret_cast<const char *>(buffer.data()), 10),
             QByteArray("abc\0\0xy\0\0\0", 10));
    QVERIFY(there.sendBytes("longer than that"));
    QVERIFY(there.sendBytes("next"));
    QCOMPARE(codeOf(here.receiveInto(buffer, tooLong)), ErrorCode::Full);
    QCOMPARE(tooLong, QByteArray("longer than that"));
    QCOMPARE(*here.receiveBytes(), QByteArray("next"));
    QCOMPARE(codeOf(here.receiveInto(buffer, tooLong, 11)), ErrorCode::InvalidArgument);
}

// PC-03
void tst_Pipe::pollLooksForMessages()
{
    const auto [here, there] = made(Pipe::create());
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(*here.poll(), false);
    QCOMPARE(*here.poll(0s), false);
    QCOMPARE(*here.poll(-1s), false);
    QVERIFY(timer.elapsed() < 500);
    timer.start();
    QCOMPARE(*here.poll(300ms), false);
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
    QVERIFY(there.sendBytes("whole"));
    timer.start();
    for (int i = 0; i < 3; ++i)
        QCOMPARE(*here.poll(10s), true);
    QVERIFY(timer.elapsed() < 500);
    QCOMPARE(*here.receiveBytes(), QByteArray("whole"));
    QCOMPARE(*here.poll(), false);
}

// PC-04
void tst_Pipe::largeMessageComesBack()
{
    Pool others = pool(1);
    const auto [here, there] = made(Pipe::create());
    const auto echoed = others.applyAsync<echo>(there);
    for (const qsizetype size : {qsizetype{100'000}, qsizetype{1} << 20, qsizetype{16} << 20}) {
        const QByteArray message = bytesOf(size);
        QVERIFY(here.sendBytes(message));
        QVERIFY(*here.receiveBytes(60s) == message);
    }
    QVERIFY(here.sendBytes({}));
    QCOMPARE(*echoed.result(60s), 3);
    others.terminate();
}

// PC-05, PC-07
void tst_Pipe::endOfStreamOnceTheOtherEndIsGone()
{
    Pool others = pool(1);
    const auto [here, there] = made(Pipe::create());
    const auto echoed = others.applyAsync<echo>(there);
    QVERIFY(here.sendBytes("begun"));
    QCOMPARE(*here.receiveBytes(60s), QByteArray("begun")); // The other process has its hold.
    there.close();
    QVERIFY(here.sendBytes("still there"));
    QCOMPARE(*here.receiveBytes(60s), QByteArray("still there"));
    QVERIFY(here.sendBytes({}));
    QCOMPARE(codeOf(here.receiveBytes(60s)), ErrorCode::EndOfStream);
    QCOMPARE(codeOf(here.receive<Message>(60s)), ErrorCode::EndOfStream);
    QCOMPARE(*here.poll(), true);
    QCOMPARE(*echoed.result(60s), 2);
    others.terminate();
}

// PC-06
void tst_Pipe::oneWayPipeGoesOneWay()
{
    const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
    QVERIFY(reader.isReadable() && !reader.isWritable());
    QVERIFY(!writer.isReadable() && writer.isWritable());
    QVERIFY(writer.send(1));
    QCOMPARE(*reader.receive<int>(), 1);
    QCOMPARE(codeOf(reader.send(2)), ErrorCode::InvalidState);
    QCOMPARE(codeOf(writer.receive<int>()), ErrorCode::InvalidState);
    QCOMPARE(codeOf(writer.poll()), ErrorCode::InvalidState);
    QCOMPARE(codeOf(Connection::wait(std::span(&writer, 1))), ErrorCode::InvalidState);
}

// PC-08
void tst_Pipe::partOfABufferIsSent()
{
    const auto [here, there] = made(Pipe::create());
    const QByteArray buffer = "abcdefghijklmnopqrstuvwxyz";
    QVERIFY(there.sendBytes(buffer, 5));
    QCOMPARE(*here.receiveBytes(), buffer.mid(5));
    QVERIFY(there.sendBytes(buffer, 7, 8));
    QCOMPARE(*here.receiveBytes(), buffer.mid(7, 8));
    QVERIFY(there.sendBytes(buffer, 26));
    QCOMPARE(*here.receiveBytes(), QByteArray());
    for (const auto &[offset, size] : {std::pair{27, -1}, {22, 5}, {-1, -1}, {4, -2}})
        QCOMPARE(codeOf(there.sendBytes(buffer, offset, size)), ErrorCode::InvalidArgument);
    QCOMPARE(*here.poll(), false);
}

// PC-10
void tst_Pipe::closedEndRefuses()
{
    const auto [here, there] = made(Pipe::create());
    {
        const auto [first, second] = made(Pipe::create());
        QVERIFY(first.send(1));
    } // Leaving scope closes both: see nothingStays().
    here.close();
    here.close();
    QVERIFY(here.isClosed());
    QCOMPARE(codeOf(here.send(1)), ErrorCode::Closed);
    QCOMPARE(codeOf(here.receive<int>()), ErrorCode::Closed);
    QCOMPARE(codeOf(here.poll()), ErrorCode::Closed);
    QCOMPARE(codeOf(there.receive<int>(10s)), ErrorCode::EndOfStream);
    // A thread that waits on an end that is closed under it comes back.
    const auto [left, right] = made(Pipe::create());
    ErrorCode code = {};
    std::thread waiting([&code, left = left] { code = codeOf(left.receive<int>()); });
    left.close();
    waiting.join();
    QCOMPARE(code, ErrorCode::Closed);
}

// PC-11
void tst_Pipe::messagesStayApart()
{
    const auto [here, there] = made(Pipe::create());
    for (const char *message : {"a", "b", "cd"})
        QVERIFY(there.sendBytes(message));
    for (const char *message : {"a", "b", "cd"}) {
        QCOMPARE(*here.poll(), true);
        QCOMPARE(*here.receiveBytes(), QByteArray(message));
    }
    QCOMPARE(*here.poll(), false);
}

// PC-12
void tst_Pipe::endsTravel()
{
    Pool others = pool(1);
    const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
    {
        const auto [here, there] = made(Pipe::create());
        const auto used = others.applyAsync<useWhatComes>(there);
        QVERIFY(here.send(writer));
        QVERIFY(used.result(60s));
    }
    QCOMPARE(*reader.receive<int>(60s), 5);
    const auto queue = made(Queue<Connection>::create());
    QVERIFY(queue.put(writer));
    writer.close(); // Only the queue holds it now.
    QVERIFY(!*reader.poll());
    QVERIFY(others.apply<useWhatIsQueued>(queue));
    QCOMPARE(*reader.receive<int>(60s), 6);
    QCOMPARE(codeOf(reader.receive<int>(60s)), ErrorCode::EndOfStream);
    QCOMPARE(codeOf(queue.put(writer)), ErrorCode::EncodeError);
    others.terminate();
}

void tst_Pipe::pipeStaysWhileItsEndsAreOnTheirWay()
{
    const auto queue = made(Queue<Connection>::create());
    {
        const Pipe pipe = made(Pipe::create());
        QVERIFY(pipe.first.send(7));
        QVERIFY(queue.put(pipe.first));
        QVERIFY(queue.put(pipe.second));
    }
    std::optional<Connection> first = made(queue.get());
    const Connection second = made(queue.get());
    QVERIFY(second.send(8));
    QCOMPARE(made(first->receive<int>()), 8);
    first.reset();
    QCOMPARE(made(second.receive<int>()), 7);
    QCOMPARE(codeOf(second.receive<int>()), ErrorCode::EndOfStream);
}

void tst_Pipe::waitCollectsAll_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("pauseMs");
    QTest::newRow("spawn") << StartMethod::Spawn << 0;
    QTest::newRow("spawn, slow") << StartMethod::Spawn << 20;
    QTest::newRow("forkserver") << StartMethod::ForkServer << 0;
    QTest::newRow("forkserver, slow") << StartMethod::ForkServer << 20;
}

// PC-13
void tst_Pipe::waitCollectsAll()
{
    QFETCH(const int, pauseMs);
    Pool others = pool(4);
    std::vector<Connection> readers;
    std::vector<AsyncResult<std::monostate>> calls;
    for (int i = 0; i < 4; ++i) {
        const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
        calls.push_back(others.applyAsync<sendNumbers>(writer, 10, pauseMs));
        // Held here until it is held there.
        QTRY_VERIFY(*reader.poll());
        readers.push_back(reader);
    }
    std::map<int, int> seen;
    while (!readers.empty()) {
        const auto ready = Connection::wait(readers, 60s);
        QVERIFY(ready && !ready->empty());
        for (auto place = ready->rbegin(); place != ready->rend(); ++place) {
            const auto number = readers[*place].receive<int>();
            if (number)
                ++seen[*number];
            else
                readers.erase(readers.begin() + std::ptrdiff_t(*place));
        }
    }
    QCOMPARE(seen.size(), 10U);
    for (const auto &[number, count] : seen)
        QCOMPARE(count, 4);
    for (const auto &call : calls)
        QVERIFY(call.result(60s));
    others.terminate();
}

// PC-14
void tst_Pipe::waitGivesUp()
{
    const auto [here, there] = made(Pipe::create());
    const auto [left, right] = made(Pipe::create());
    const std::array both = {here, left};
    QElapsedTimer timer;
    timer.start();
    QVERIFY(Connection::wait(both, 300ms)->empty());
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
    timer.start();
    QVERIFY(Connection::wait(both, -1s)->empty());
    QVERIFY(timer.elapsed() < 1'000);
    QVERIFY(right.send(1));
    QCOMPARE(*Connection::wait(both, 10s), std::vector<std::size_t>{1});
}

// PC-15
void tst_Pipe::waitKnowsDescriptors()
{
    const auto [here, there] = made(Pipe::create());
    std::array<int, 2> sockets = {};
    QCOMPARE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()), 0);
    const std::span descriptors(sockets.data(), 1);
    QVERIFY(Connection::wait(std::span(&here, 1), 100ms, descriptors)->empty());
    std::thread sender([&] { QCOMPARE(::write(sockets[1], "x", 1), 1); });
    QCOMPARE(*Connection::wait(std::span(&here, 1), 10s, descriptors), std::vector<std::size_t>{1});
    sender.join();
    char letter = 0;
    QCOMPARE(::read(sockets[0], &letter, 1), 1);
    ::close(sockets[1]); // The end of the stream is ready too.
    QCOMPARE(*Connection::wait({}, 10s, descriptors), std::vector<std::size_t>{0});
    QVERIFY(there.send(1));
    QCOMPARE(*Connection::wait(std::span(&here, 1), 10s, descriptors),
             (std::vector<std::size_t>{0, 1}));
    ::close(sockets[0]);
}

// PC-16: connections are made with their pipe, not of descriptors; those can be waited for.
void tst_Pipe::wrongDescriptorsAreRefused()
{
    for (const int descriptor : {-1, 54'321}) {
        const auto found = Connection::wait({}, 60s, std::span(&descriptor, 1));
        QCOMPARE(codeOf(found), ErrorCode::OsError);
        QCOMPARE(found.error().systemCode, EBADF);
        QVERIFY(errorText(found.error()).contains(QString::number(descriptor)));
    }
}

// PC-17
void tst_Pipe::deadReaderBreaksThePipe()
{
    Pool others = pool(1);
    const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
    const auto died = others.applyAsync<dieWith>(reader);
    QCOMPARE(codeOf(died.result(60s)), ErrorCode::WorkerDied);
    reader.close();
    const auto sent = writer.send(1);
    QCOMPARE(codeOf(sent), ErrorCode::OsError);
    QCOMPARE(sent.error().systemCode, EPIPE);
    others.terminate();
}

void tst_Pipe::fullPipeWaits()
{
    Pool others = pool(1);
    const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
    const int wanted = 100'000; // Of 4 bytes: more than fits at once.
    int sent = 0;
    while (writer.send(sent, 0s))
        ++sent;
    QVERIFY(sent > 1'000 && sent < wanted);
    const auto received = others.applyAsync<receiveAll>(reader);
    for (; sent < wanted; ++sent)
        QVERIFY(writer.send(sent, 60s));
    writer.close();
    const auto all = *received.result(60s);
    QCOMPARE(all.size(), std::size_t(wanted));
    QVERIFY(std::is_sorted(all.begin(), all.end()));
    others.terminate();
}

void tst_Pipe::longMessagesDoNotPileUp()
{
    const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
    const QByteArray message(3 << 20, 'x'); // Longer than has room in the pipe itself.
    QVERIFY(writer.send(message, 0s));
    QVERIFY(writer.send(message, 0s));
    QCOMPARE(codeOf(writer.send(message, 0s)), ErrorCode::Timeout);
    QCOMPARE(codeOf(writer.send(message, 20ms)), ErrorCode::Timeout);
    QCOMPARE(*reader.receive<QByteArray>(60s), message);
    QVERIFY(writer.send(message, 60s));
    QCOMPARE(reader.arriving().sent, 3U);
    QCOMPARE(reader.arriving().waiting, 2U);
    QCOMPARE(writer.leaving().waiting, 2U);
}

void tst_Pipe::nothingStays()
{
    QTRY_COMPARE(runtime::ObjectSpace::instance().usage().objects, 0U);
    QCOMPARE(runtime::ObjectSpace::instance().usage().bytes, 0U);
    QCOMPARE(test::childPids().size(), 0);
}

PROCLAB_WORKER_TEST_MAIN(tst_Pipe)
#include "tst_pipe.moc"
