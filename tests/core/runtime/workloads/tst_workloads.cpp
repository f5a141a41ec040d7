// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include "tests/support/forked_child.h"

#include <QDir>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <atomic>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>

using namespace Qt::StringLiterals;
using namespace proclab::runtime;
using proclab::test::forkChild;
using proclab::test::waitForChild;

namespace {

using Values = std::vector<ArgumentValue>;
constexpr std::uint64_t seed = 7;

/// Runs @p name as task @p index; throws what the task throws.
TaskValue run(const char *name, const Values &values, std::uint64_t index = 0,
              std::atomic<std::int32_t> *ownSignal = nullptr)
{
    const WorkloadInfo *workload = findWorkload(name);
    if (!workload)
        throw std::invalid_argument(name);
    const std::vector<std::byte> bytes = encodeArguments(values);
    const Arguments arguments(bytes, workload->arguments);
    return workload->run({arguments, index, seed, ownSignal});
}

/// As Python prints it.
QString shown(const TaskValue &value)
{
    switch (value.type) {
    case TaskValue::Type::None:
        return u"None"_s;
    case TaskValue::Type::Integer:
        return QString::number(value.integer);
    case TaskValue::Type::Unsigned:
        return QString::number(value.unsignedInteger);
    case TaskValue::Type::Number:
        return QString::number(value.number, 'g', 17);
    case TaskValue::Type::Digest:
        return QString::fromLatin1(
            QByteArray(reinterpret_cast<const char *>(value.digest), sizeof value.digest).toHex());
    case TaskValue::Type::Bytes:
    case TaskValue::Type::Extent:
    case TaskValue::Type::Parcel:
        break; // No workload returns these.
    }
    return {};
}

std::int64_t integer(std::int64_t value)
{
    return value;
}

// The contract's definitions once more, written without a look at the C++ ones.
constexpr char pythonTasks[] = R"(
import hashlib, sys, zlib
M = 2 ** 64 - 1
def primes(limit):
    return sum(all(n % d for d in range(2, int(n ** 0.5) + 1)) for n in range(2, limit))
def counting(n):
    return bytes(k % 256 for k in range(n))
def sha256(n, rounds):
    data = counting(n)
    for _ in range(rounds):
        data = hashlib.sha256(data).digest()
    return data.hex()
def matmul(n):
    a = [[(i * n + j) % 7 for j in range(n)] for i in range(n)]
    b = [[(i + 2 * j) % 5 for j in range(n)] for i in range(n)]
    return sum(a[i][k] * b[k][j] for i in range(n) for j in range(n) for k in range(n)) & M
def mandelbrot(width, height, iterations):
    total = 0
    for y in range(height):
        for x in range(width):
            cr, ci = -2 + 3 * x / width, -1.5 + 3 * y / height
            zr = zi = 0.0
            n = 0
            while n < iterations and zr * zr + zi * zi <= 4:
                zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
                n += 1
            total += n
    return total
def compress(n, level):
    return len(zlib.compress(counting(n), level))
def blur(width, height, radius):
    image = [[(7 * x + 13 * y) % 256 for x in range(width)] for y in range(height)]
    def line(p):
        last = len(p) - 1
        return [sum(p[min(max(k, 0), last)] for k in range(i - radius, i + radius + 1)) // (2 * radius + 1)
                for i in range(len(p))]
    rows = [line(row) for row in image]
    columns = [line(list(c)) for c in zip(*rows)]
    return sum(columns[x][y] * (y * width + x + 1) for y in range(height) for x in range(width)) & M
def square(x):
    return x * x
def sleep(index, low, high):
    z = (7 + (index + 1) * 0x9E3779B97F4A7C15) & M
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M
    z ^= z >> 31
    return '%.17g' % (low + (z >> 11) * 2 ** -53 * (high - low))
print(eval(sys.argv[1]))
)";

} // namespace

class tst_Workloads : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void workloadsAreSortedAndDescribed();
    void knownValues_data();
    void knownValues();
    void valuesAreThoseOfPython_data();
    void valuesAreThoseOfPython();
    void uniformIsSpreadOverItsRange();
    void argumentsSurviveTheWire();
    void hostileBytesReadAsNothing_data();
    void hostileBytesReadAsNothing();
    void writtenFileIsGone_data();
    void writtenFileIsGone();
    void missingFolderIsAnException();
    void thrownMessageArrives();
    void failingTaskEndsItsProcess_data();
    void failingTaskEndsItsProcess();
    void hangingTaskNeverEnds();
    void harmlessSignalIsAnException();
    void everyNthTaskFails_data();
    void everyNthTaskFails();
};

void tst_Workloads::workloadsAreSortedAndDescribed()
{
    std::string_view last;
    for (const WorkloadInfo &workload : workloads()) {
        QVERIFY(workload.name > last);
        last = workload.name;
        QVERIFY(!workload.title.empty() && !workload.description.empty() && workload.run);
        QCOMPARE(findWorkload(workload.name), &workload);
        for (const ArgumentInfo &argument : workload.arguments) {
            QVERIFY(!argument.name.empty() && !argument.help.empty());
            QVERIFY(argument.minimum <= argument.maximum);
            if (argument.type != ArgumentType::Text)
                QVERIFY(argument.defaultNumber >= argument.minimum &&
                        argument.defaultNumber <= argument.maximum);
        }
    }
    QVERIFY(!findWorkload("cpu.none"));
    QVERIFY(!findWorkload(""));
}

void tst_Workloads::knownValues_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QList<qint64>>("values");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char *name, const QList<qint64> &values, const QString &expected) {
        QTest::addRow("%s %s", name, expected.toLatin1().left(12).constData())
            << QByteArray(name) << values << expected;
    };
    row("cpu.primes", {0}, u"0"_s);
    row("cpu.primes", {3}, u"1"_s);
    row("cpu.primes", {100}, u"25"_s);
    row("cpu.primes", {200'000}, u"17984"_s);
    // SHA-256 of nothing, as in FIPS 180-4's examples.
    row("cpu.sha256", {0, 1},
        u"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"_s);
    row("cpu.matmul", {1}, u"0"_s);
    row("cpu.mandelbrot", {1, 1, 50}, u"1"_s); // c = -2 - 1.5i: left after one step.
    row("math.square", {-3'000'000'000}, u"9000000000000000000"_s);
    row("math.square", {12}, u"144"_s);
    row("mem.stream", {1000, 3}, u"3000"_s);
    row("noop", {}, u"None"_s);
}

void tst_Workloads::knownValues()
{
    QFETCH(const QByteArray, name);
    QFETCH(const QList<qint64>, values);
    QFETCH(const QString, expected);
    Values arguments;
    for (const qint64 value : values)
        arguments.emplace_back(integer(value));
    QCOMPARE(shown(run(name.constData(), arguments)), expected);
}

void tst_Workloads::valuesAreThoseOfPython_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QList<qint64>>("values");
    QTest::addColumn<int>("index");
    QTest::addColumn<QString>("expression");
    const auto row = [](const char *name, const QList<qint64> &values, const char *expression,
                        int index = 0) {
        QTest::newRow(expression) << QByteArray(name) << values << index
                                  << QString::fromLatin1(expression);
    };
    row("cpu.primes", {5'000}, "primes(5000)");
    row("cpu.sha256", {1'000, 1}, "sha256(1000, 1)");
    row("cpu.sha256", {257, 20}, "sha256(257, 20)");
    row("cpu.sha256", {3'000'001, 2}, "sha256(3000001, 2)");
    row("cpu.matmul", {1}, "matmul(1)");
    row("cpu.matmul", {37}, "matmul(37)");
    row("cpu.mandelbrot", {60, 45, 80}, "mandelbrot(60, 45, 80)");
    row("cpu.mandelbrot", {1, 7, 1000}, "mandelbrot(1, 7, 1000)");
    row("cpu.blur", {40, 30, 4}, "blur(40, 30, 4)");
    row("cpu.blur", {5, 3, 9}, "blur(5, 3, 9)");
    row("cpu.blur", {9, 1, 0}, "blur(9, 1, 0)");
    for (const char *expression :
         {"compress(0, 6)", "compress(1000, 0)", "compress(100000, 1)", "compress(100000, 9)",
          "compress(3000001, 1)", "compress(3000001, 6)", "compress(3000001, 9)"}) {
        const QStringList numbers =
            QString::fromLatin1(expression).mid(9).chopped(1).split(u", "_s);
        row("cpu.compress", {numbers[0].toLongLong(), numbers[1].toLongLong()}, expression);
    }
    row("math.square", {-54'321}, "square(-54321)");
    row("io.sleep", {}, "sleep(0, 0, 0.001)", 0);
    row("io.sleep", {}, "sleep(1, 0, 0.001)", 1);
    row("io.sleep", {}, "sleep(99, 0, 0.001)", 99);
}

void tst_Workloads::valuesAreThoseOfPython()
{
    QFETCH(const QByteArray, name);
    QFETCH(const QList<qint64>, values);
    QFETCH(const int, index);
    QFETCH(const QString, expression);
    const QString python = QStandardPaths::findExecutable(u"python3"_s);
    if (python.isEmpty())
        QSKIP("There is no python3 to compare with");
    Values arguments;
    for (const qint64 value : values)
        arguments.emplace_back(integer(value));
    if (name == "io.sleep")
        arguments = {0.0, 0.001};
    QProcess process;
    process.start(python, {u"-c"_s, QString::fromLatin1(pythonTasks), expression});
    QVERIFY(process.waitForFinished(60'000));
    QCOMPARE(process.readAllStandardError(), QByteArray());
    const QString expected = QString::fromLatin1(process.readAllStandardOutput().trimmed());
    QCOMPARE(shown(run(name.constData(), arguments, static_cast<std::uint64_t>(index))), expected);
}

void tst_Workloads::uniformIsSpreadOverItsRange()
{
    const Arguments none;
    QList<int> tenths(10);
    for (std::uint64_t index = 0; index < 10'000; ++index) {
        const double u = TaskContext{none, index, seed}.uniform();
        QVERIFY(u >= 0 && u < 1);
        ++tenths[static_cast<int>(u * 10)];
    }
    for (const int count : tenths)
        QVERIFY2(count > 850 && count < 1'150, qPrintable(QString::number(count)));
    QVERIFY((TaskContext{none, 0, 1}.uniform() != TaskContext{none, 0, 2}.uniform()));
}

constexpr ArgumentInfo mixedInfos[] = {
    {"a", ArgumentType::Text, "", ""},   {"b", ArgumentType::Integer, "", ""},
    {"c", ArgumentType::Number, "", ""}, {"d", ArgumentType::Flag, "", ""},
    {"e", ArgumentType::Text, "", ""},   {"f", ArgumentType::Text, "", ""},
};

void tst_Workloads::argumentsSurviveTheWire()
{
    const std::string zero("with\0zero", 9);
    const std::vector<std::byte> bytes = encodeArguments(
        Values{std::string("first"), integer(INT64_MIN), -0.1, true, std::string(), zero});
    const Arguments arguments(bytes, mixedInfos);
    QVERIFY(arguments.text(0) == "first");
    QCOMPARE(arguments.integer(1), INT64_MIN);
    QCOMPARE(arguments.number(2), -0.1);
    QVERIFY(arguments.flag(3));
    QVERIFY(arguments.text(4).empty());
    QVERIFY(arguments.text(5) == zero);
    QVERIFY(arguments.text(1).empty()); // No text.
    QCOMPARE(arguments.integer(99), 0);
    QVERIFY(arguments.text(99).empty());
}

void tst_Workloads::hostileBytesReadAsNothing_data()
{
    QTest::addColumn<QByteArray>("bytes");
    const std::vector<std::byte> whole = encodeArguments(Values{
        std::string("first"), integer(1), 2.0, true, std::string("second"), std::string("third")});
    const QByteArray good(reinterpret_cast<const char *>(whole.data()),
                          static_cast<qsizetype>(whole.size()));
    for (const qsizetype size : {qsizetype{0}, qsizetype{1}, qsizetype{7}, qsizetype{8},
                                 qsizetype{47}, qsizetype{48}, qsizetype{50}})
        QTest::addRow("cut to %lld", static_cast<long long>(size)) << good.left(size);
    for (const quint64 length :
         {quint64{17}, quint64{1} << 32, ~quint64{0}, ~quint64{0} - 47, quint64{1} << 63}) {
        QByteArray bad = good;
        std::memcpy(bad.data(), &length, sizeof length);
        QTest::addRow("first length %llu", length) << bad;
    }
}

void tst_Workloads::hostileBytesReadAsNothing()
{
    QFETCH(const QByteArray, bytes);
    // An exact copy on the heap: a sanitizer sees a read beyond it.
    const auto *begin = reinterpret_cast<const std::byte *>(bytes.constData());
    const std::vector<std::byte> exact(begin, begin + bytes.size());
    const Arguments arguments(exact, mixedInfos);
    for (const std::size_t position : {std::size_t{0}, std::size_t{4}, std::size_t{5}})
        QVERIFY(arguments.text(position).empty());
    for (std::size_t position = exact.size() / 8; position < 8; ++position) {
        QCOMPARE(arguments.integer(position), 0);
        QCOMPARE(arguments.number(position), 0.0);
        QVERIFY(!arguments.flag(position));
    }
}

void tst_Workloads::writtenFileIsGone_data()
{
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<bool>("fsync");
    QTest::newRow("empty") << qint64{0} << false;
    QTest::newRow("a byte, on the device") << qint64{1} << true;
    QTest::newRow("more than a buffer") << qint64{1'000'003} << false;
}

void tst_Workloads::writtenFileIsGone()
{
    QFETCH(const qint64, bytes);
    QFETCH(const bool, fsync);
    const QTemporaryDir folder;
    const QByteArray before = qgetenv("TMPDIR");
    qputenv("TMPDIR", folder.path().toLocal8Bit());
    const int files =
        static_cast<int>(QDir(u"/proc/self/fd"_s).entryList(QDir::Files | QDir::System).size());
    const QString value = shown(run("io.file", {integer(bytes), fsync}));
    if (before.isNull())
        qunsetenv("TMPDIR");
    else
        qputenv("TMPDIR", before);
    QCOMPARE(value, QString::number(bytes));
    QVERIFY(QDir(folder.path()).isEmpty());
    QCOMPARE(QDir(u"/proc/self/fd"_s).entryList(QDir::Files | QDir::System).size(), files);
}

void tst_Workloads::missingFolderIsAnException()
{
    const int status = waitForChild(forkChild([] {
        ::setenv("TMPDIR", "/nowhere/at/all", 1);
        try {
            run("io.file", {integer(1), false});
        } catch (const std::exception &error) {
            return std::strstr(error.what(), "/nowhere/at/all") ? 3 : 4;
        }
        return 5;
    }));
    QCOMPARE(WEXITSTATUS(status), 3);
}

void tst_Workloads::thrownMessageArrives()
{
    for (const std::string message : {"failed on purpose", "", "Grüße"}) {
        std::string caught = "nothing";
        try {
            run("fail.throw", {message, integer(1), 0.0});
        } catch (const std::runtime_error &error) {
            caught = error.what();
        }
        QCOMPARE(caught, message);
    }
}

void tst_Workloads::failingTaskEndsItsProcess_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<int>("how");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<int>("signal");
    for (const int code : {0, 1, 42, 255})
        QTest::addRow("exit %d", code) << QByteArray("fail.exit") << code << code << 0;
    for (const int signal : {SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGFPE})
        QTest::addRow("signal %d", signal) << QByteArray("fail.crash") << signal << 0 << signal;
}

void tst_Workloads::failingTaskEndsItsProcess()
{
    QFETCH(const QByteArray, name);
    QFETCH(const int, how);
    QFETCH(const int, exitCode);
    QFETCH(const int, signal);
    std::vector<ArgumentValue> arguments{integer(how), integer(1), 0.0};
    if (name == "fail.crash")
        arguments.push_back(integer(0));
    const int status = waitForChild(forkChild([&] {
        run(name.constData(), arguments);
        return 99;
    }));
    QCOMPARE(WIFSIGNALED(status), signal != 0);
    QCOMPARE(WIFSIGNALED(status) ? WTERMSIG(status) : 0, signal);
    QCOMPARE(WIFEXITED(status) ? WEXITSTATUS(status) : 0, exitCode);
}

void tst_Workloads::hangingTaskNeverEnds()
{
    QVERIFY(findWorkload("fail.hang")->needsTimeLimit);
    int ends[2] = {-1, -1};
    QCOMPARE(::pipe(ends), 0);
    const pid_t child = forkChild([&ends] {
        ::signal(SIGUSR1, [](int) {});
        if (::write(ends[1], "h", 1) != 1)
            return 1;
        run("fail.hang", {integer(1), 0.0});
        return 2;
    });
    char started = 0;
    QCOMPARE(::read(ends[0], &started, 1), 1);
    for (int i = 0; i < 100; ++i) // A signal that is handled does not end it either.
        ::kill(child, SIGUSR1);
    QCOMPARE(::waitpid(child, nullptr, WNOHANG), 0);
    ::kill(child, SIGKILL);
    const int status = waitForChild(child);
    QVERIFY(WIFSIGNALED(status));
    QCOMPARE(WTERMSIG(status), SIGKILL);
    ::close(ends[0]);
    ::close(ends[1]);
}

void tst_Workloads::harmlessSignalIsAnException()
{
    const int status = waitForChild(forkChild([] {
        std::atomic<std::int32_t> ownSignal{0};
        try {
            run("fail.crash", {integer(SIGCHLD), integer(1), 0.0, integer(0)}, 0, &ownSignal);
        } catch (const std::exception &) {
            return ownSignal.load() == 0 ? 3 : 4;
        }
        return 5;
    }));
    QCOMPARE(WEXITSTATUS(status), 3);
}

void tst_Workloads::everyNthTaskFails_data()
{
    QTest::addColumn<qint64>("every");
    for (const qint64 every : {1, 2, 3, 10})
        QTest::addRow("every %lld", every) << every;
}

void tst_Workloads::everyNthTaskFails()
{
    QFETCH(const qint64, every);
    for (std::uint64_t index = 0; index < 30; ++index) {
        QString outcome;
        try {
            outcome = shown(run("fail.throw", {std::string("thrown"), integer(every), 0.0}, index));
        } catch (const std::runtime_error &) {
            outcome = u"thrown"_s;
        }
        const bool fails = (index + 1) % static_cast<std::uint64_t>(every) == 0;
        QCOMPARE(outcome, fails ? u"thrown"_s : QString::number(index));
        if (!fails) { // Those that would end the process return too.
            QCOMPARE(shown(run("fail.exit", {integer(1), integer(every), 0.0}, index)), outcome);
            QCOMPARE(shown(run("fail.crash", {integer(9), integer(every), 0.0, integer(0)}, index)),
                     outcome);
            QCOMPARE(shown(run("fail.hang", {integer(every), 0.0}, index)), outcome);
        }
    }
}

QTEST_GUILESS_MAIN(tst_Workloads)
#include "tst_workloads.moc"
