// SPDX-License-Identifier: GPL-3.0-or-later

// The kill harness for everything beside Pool: see tests/faults/README.md.

#include "core/call/remote_error.h"
#include "core/process/worker_main.h"
#include "core/runtime/memory/object_space.h"
#include "tests/faults/crew.h"
#include "tests/faults/harness.h"
#include "tests/faults/scene.h"
#include "tests/support/leak_check.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QElapsedTimer>
#include <QThread>

#include <algorithm>
#include <array>
#include <cstdio>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

struct NamedScene
{
    const char *name;
    test::Scene play;
};
constexpr std::array scenes = {
    NamedScene{"queue", test::playQueue},     NamedScene{"pipe", test::playPipe},
    NamedScene{"lock", test::playLock},       NamedScene{"executor", test::playExecutor},
    NamedScene{"process", test::playProcess}, NamedScene{"program", test::playProgram},
};

struct Options
{
    const NamedScene *scene = nullptr; ///< Null: all, mixed.
    quint64 kills = 0;
    quint64 parents = 0;
    quint32 seed = 0;
    std::chrono::seconds limit{0};
    bool isParent = false; ///< Goes on until it is killed.
};

constexpr auto leftoverLimit = 10s;
/// Rounds until the program's memory counts as grown to its usual size.
constexpr int warmUpRounds = 20;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr qint64 growthLimitKiB = 1024 * 1024; // What is freed stays in quarantine.
constexpr auto meanPause = 16'000us;
#else
constexpr qint64 growthLimitKiB = 64 * 1024;
constexpr auto meanPause = 2'000us;
#endif

Options parsed(const QStringList &arguments)
{
    QCommandLineParser parser;
    QStringList names;
    for (const NamedScene &scene : scenes)
        names.append(QString::fromLatin1(scene.name));
    names.append(u"all"_s);
    parser.addOptions({{u"scene"_s, names.join(u", "_s), u"name"_s, names.back()},
                       {u"kills"_s, u"How many."_s, u"n"_s, u"300"_s},
                       {u"parents"_s, u"Kill whole programs instead, so many."_s, u"n"_s, u"0"_s},
                       {u"seed"_s, u"Of an earlier run."_s, u"n"_s},
                       {u"seconds"_s, u"End earlier, after so long."_s, u"n"_s, u"3600"_s},
                       {u"as-parent"_s, u"Go on until killed."_s}});
    parser.addHelpOption();
    parser.process(arguments);
    Options options;
    const qsizetype place = names.indexOf(parser.value(u"scene"_s));
    if (place < 0)
        parser.showHelp(2);
    if (static_cast<std::size_t>(place) < scenes.size())
        options.scene = &scenes[static_cast<std::size_t>(place)];
    options.kills = parser.value(u"kills"_s).toULongLong();
    options.parents = parser.value(u"parents"_s).toULongLong();
    options.seed = parser.isSet(u"seed"_s) ? parser.value(u"seed"_s).toUInt()
                                           : QRandomGenerator::global()->generate();
    options.limit = std::chrono::seconds(parser.value(u"seconds"_s).toInt());
    options.isParent = parser.isSet(u"as-parent"_s);
    return options;
}

/// What there is when nothing happens: the zygote of Processes stays, and is another one after its
/// death.
class Quiet
{
public:
    /// Empty: it is as quiet as then.
    [[nodiscard]] QString disturbance() const
    {
        QStringList found;
        int zygotes = 0;
        for (const qint64 pid : test::childPids())
            zygotes += test::hasZygotesCommandLine(pid) ? 1 : 100;
        if (zygotes > 1)
            found.append(u"children:\n  "_s % test::childStates());
        if (const QStringList open = test::openDescriptors(); open.size() > m_open.size())
            found.append(u"descriptors: "_s % open.join(u", "_s));
        const auto usage = runtime::ObjectSpace::instance().usage();
        if (usage.objects != m_usage.objects || usage.bytes != m_usage.bytes)
            found.append(u"%1 objects with %2 bytes, once %3 with %4"_s.arg(usage.objects)
                             .arg(usage.bytes)
                             .arg(m_usage.objects)
                             .arg(m_usage.bytes));
        if (const QStringList names = test::sharedMemoryNames(); names != m_names)
            found.append(u"in /dev/shm: "_s % names.join(u", "_s));
        return found.join(u"; "_s);
    }

private:
    const QStringList m_open = test::openDescriptors();
    const QStringList m_names = test::sharedMemoryNames();
    const runtime::ObjectSpace::Usage m_usage = runtime::ObjectSpace::instance().usage();
};

void doNothing() {}

/// Afterwards the engine has what it keeps.
void warmUp()
{
    for (const StartMethod method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        const Process process = valueOrThrow(Process::create<doNothing>({.startMethod = method}));
        (void)process.start();
        (void)process.join();
        while (runtime::ObjectSpace::instance().usage().objects > 0) // In a moment.
            QThread::yieldCurrentThread();
    }
}

class KillRun
{
public:
    explicit KillRun(const Options &options)
        : m_options(options)
        , m_random(options.seed)
        , m_killer(m_random.generate(), meanPause)
        , m_deadline(options.limit)
    {}

    /// The exit code.
    int run()
    {
        m_timer.start();
        while (goesOn()) {
            ++m_rounds;
            test::Round round{m_random, m_killer, m_options.isParent};
            if (!m_options.scene)
                m_scene = &scenes[m_random.bounded(quint32{scenes.size()})];
            m_failure = m_scene->play(round);
            if (!m_failure.isEmpty() || !checkLeftovers() || !checkGrowth())
                return report(1);
        }
        return report(m_killer.kills() > 0 ? 0 : 1);
    }

private:
    [[nodiscard]] bool goesOn() const
    {
        return m_options.isParent ||
               (m_killer.kills() < m_options.kills && !m_deadline.hasExpired());
    }

    bool checkLeftovers()
    {
        const QDeadlineTimer deadline(leftoverLimit);
        QString left = m_quiet.disturbance();
        while (!left.isEmpty() && !deadline.hasExpired()) {
            QThread::yieldCurrentThread();
            left = m_quiet.disturbance();
        }
        if (!left.isEmpty())
            m_failure = u"left behind: "_s % left;
        return left.isEmpty();
    }

    bool checkGrowth()
    {
        const qint64 now = test::residentKiB();
        if (m_rounds <= warmUpRounds)
            m_usualKiB = std::max(m_usualKiB, now);
        else if (now > m_usualKiB + growthLimitKiB)
            m_failure = u"grown from %1 to %2 KiB"_s.arg(m_usualKiB).arg(now);
        m_lastKiB = now;
        return m_failure.isEmpty();
    }

    int report(int code) const
    {
        const test::Killer::Counts kills = m_killer.counts();
        const double seconds = static_cast<double>(m_timer.nsecsElapsed()) / 1e9;
        std::printf("seed %u, %s: %llu kills (%llu of zygotes) in %.1f s, %.0f/s; %llu paused; "
                    "%d rounds; memory %lld -> %lld KiB\n",
                    m_options.seed, m_options.scene ? m_scene->name : "all", kills.kills(),
                    kills.zygotes, seconds, static_cast<double>(kills.kills()) / seconds,
                    kills.paused, m_rounds, m_usualKiB, m_lastKiB);
        if (!m_failure.isEmpty())
            std::printf("FAIL: %s\n  in round %d, %s\n  %s\n", qPrintable(m_failure), m_rounds,
                        m_scene->name, qPrintable(test::childStates()));
        std::fflush(stdout);
        // What hangs would hang here once more; the children die with this program.
        if (code != 0)
            std::_Exit(code);
        return code;
    }

    const Options m_options;
    QRandomGenerator m_random;
    test::Killer m_killer;
    const Quiet m_quiet;
    QDeadlineTimer m_deadline;
    QElapsedTimer m_timer;
    const NamedScene *m_scene = m_options.scene; ///< Of this round.
    QString m_failure;
    int m_rounds = 0;
    qint64 m_usualKiB = 0;
    qint64 m_lastKiB = 0;
};

} // namespace

QString test::exitText(int code)
{
    switch (code) {
    case exitHangs:
        return u"a call does not end"_s;
    case exitDamaged:
        return u"something came damaged"_s;
    case exitDisordered:
        return u"something came out of order"_s;
    case exitOtherGone:
        return u"the other side is said to be gone"_s;
    case exitWrongError:
        return u"a call failed that may not"_s;
    default:
        return u"a process ended with %1"_s.arg(code);
    }
}

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    const Options options = parsed(QCoreApplication::arguments());
    if (options.parents > 0)
        return test::killParents(options.parents, options.seed, options.limit, [](quint64 number) {
            return QStringList{u"--scene"_s,
                               QString::fromLatin1(scenes[number % scenes.size()].name)};
        });
    warmUp();
    return KillRun(options).run();
}
