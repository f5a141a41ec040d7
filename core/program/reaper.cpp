// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/reaper.h"

#include "core/process/engine.h"

#include <QSocketNotifier>
#include <QThread>
#include <QTimer>

#include <memory>
#include <utility>
#include <vector>

#include <sys/wait.h>

namespace proclab {

namespace {

constexpr int lookMs = 100;

// The engine's thread's.
std::vector<pid_t> groups;
QTimer *nextLook = nullptr; // Only while there are any.

/// Reaps those of a group that have ended; false: it has no child of this process.
bool reapGroup(pid_t group)
{
    pid_t reaped = 0;
    do {
        reaped = ::waitpid(-group, nullptr, WNOHANG);
    } while (reaped > 0);
    return reaped == 0;
}

} // namespace

void reapLater(OwnedDescriptor pidFd, pid_t pid)
{
    Engine *engine = Engine::current();
    if (!engine)
        return; // This process ends; what is left will be no child of it.
    const auto descriptor = std::make_shared<OwnedDescriptor>(std::move(pidFd));
    QMetaObject::invokeMethod(engine->context(), [descriptor, pid] {
        auto *ended = new QSocketNotifier(descriptor->get(), QSocketNotifier::Read);
        QObject::connect(QThread::currentThread(), &QThread::finished, ended,
                         &QObject::deleteLater);
        QObject::connect(ended, &QSocketNotifier::activated, ended, [ended, descriptor, pid] {
            ended->setEnabled(false);
            ended->deleteLater();
            siginfo_t info;
            ::waitid(P_PIDFD, static_cast<id_t>(descriptor->get()), &info, WEXITED | WNOHANG);
            noteGroup(pid);
        });
    });
}

void noteGroup(pid_t group)
{
    Engine *engine = Engine::current();
    if (!engine)
        return;
    QMetaObject::invokeMethod(engine->context(), [group] {
        if (!reapGroup(group))
            return;
        groups.push_back(group);
        if (nextLook)
            return;
        nextLook = new QTimer;
        QObject::connect(QThread::currentThread(), &QThread::finished, nextLook,
                         &QObject::deleteLater);
        QObject::connect(nextLook, &QTimer::timeout, nextLook, reapEnded);
        nextLook->start(lookMs);
    });
}

void reapEnded()
{
    std::erase_if(groups, [](pid_t group) { return !reapGroup(group); });
    if (groups.empty() && nextLook)
        std::exchange(nextLook, nullptr)->deleteLater();
}

} // namespace proclab
