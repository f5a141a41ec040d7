// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

class QSocketNotifier;

namespace proclab {

/// Tells of SIGINT, SIGTERM and SIGHUP in the event loop, once: after the first, the next one ends
/// the program at once, as without a watcher. SIGHUP stays ignored where it was (nohup). One for
/// each program.
class SignalWatcher final : public QObject
{
    Q_OBJECT

public:
    explicit SignalWatcher(QObject *parent = nullptr);
    ~SignalWatcher() override;

Q_SIGNALS:
    void signalled(int number);

private:
    void readPipe();

    int m_pipe[2] = {-1, -1};
    QSocketNotifier *m_notifier = nullptr;
};

} // namespace proclab
