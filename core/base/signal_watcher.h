// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

class QSocketNotifier;

namespace proclab {

/// Reports SIGINT, SIGTERM and SIGHUP in the event loop, once: after the first signal, the next one
/// ends the program at once, as it would without a watcher. SIGHUP stays ignored where it was
/// (nohup). A program has at most one watcher.
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
