// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/screenshot.h"

#include "ui/shell/main_window.h"

#include <QFile>
#include <QImage>
#include <QTimer>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

// Layout, the sizes that follow from it, and the charts that are drawn in the background, each
// take a turn of the event loop.
constexpr std::chrono::milliseconds layoutTime{60};

} // namespace

Screenshot::Screenshot(MainWindow &window, const QString &fileName, QSize size,
                       std::chrono::milliseconds after, QObject *parent)
    : QObject(parent)
    , m_window(window)
    , m_fileName(fileName)
    , m_size(size)
    , m_after(after)
{}

void Screenshot::start()
{
    m_window.setAttribute(Qt::WA_DontShowOnScreen);
    m_window.setMinimumSize(m_window.minimumSize().boundedTo(m_size));
    m_window.resize(m_size);
    m_window.show();
    QTimer::singleShot(std::max(m_after, layoutTime), this, &Screenshot::take);
}

void Screenshot::take()
{
    QImage picture(m_size, QImage::Format_RGB32);
    picture.fill(m_window.palette().color(QPalette::Window));
    m_window.render(&picture);
    QFile file(m_fileName);
    if (!file.open(QIODevice::WriteOnly | QIODevice::Truncate) || !picture.save(&file, "PNG") ||
        !file.flush())
        m_error = m_fileName % u": "_s % file.errorString();
    connect(&m_window, &MainWindow::allRunsEnded, this, [this] { Q_EMIT finished(m_error); });
    m_window.endRuns();
}

} // namespace proclab
