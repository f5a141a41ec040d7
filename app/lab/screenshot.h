// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QSize>
#include <QString>

#include <chrono>

namespace proclab {

class MainWindow;

/// Takes one picture of a window that is laid out but shown on no screen, then ends its runs.
class Screenshot final : public QObject
{
    Q_OBJECT

public:
    /// @p window must outlive it. @p size is that of the window and of the picture, in pixels.
    Screenshot(MainWindow &window, const QString &fileName, QSize size,
               std::chrono::milliseconds after, QObject *parent = nullptr);

    /// Lays the window out and takes the picture, after the wait; finished() follows.
    void start();

Q_SIGNALS:
    /// The runs have ended. @p error is empty, or the line that says why there is no picture.
    void finished(const QString &error);

private:
    void take();

    MainWindow &m_window;
    const QString m_fileName;
    const QSize m_size;
    const std::chrono::milliseconds m_after;
    QString m_error;
};

} // namespace proclab
