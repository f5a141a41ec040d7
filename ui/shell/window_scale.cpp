// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/window_scale.h"

#include <QApplication>
#include <QEvent>
#include <QHash>
#include <QScreen>
#include <QWidget>

#include <private/qhighdpiscaling_p.h>

#include <algorithm>
#include <array>

namespace proclab::windowScale {

namespace {

constexpr std::array steps{100, 125, 150, 175, 200, 250, 300};
int g_percent = smallest;

/// Applies the percentage on top of the factor that the system gives @p screen, which is kept from
/// the first time by the screen's name, as Qt keeps the one that is set.
void scaleScreen(QScreen *screen)
{
    static QHash<QString, qreal> factors;
    auto factor = factors.constFind(screen->name());
    if (factor == factors.cend()) {
        // QT_SCALE_FACTOR is a part of what is told here, and Qt multiplies with it by itself.
        const qreal whole = QHighDpiScaling::factor(screen);
        QHighDpiScaling::setScreenFactor(screen, 1);
        factor = factors.insert(screen->name(), whole / QHighDpiScaling::factor(screen));
    }
    QHighDpiScaling::setScreenFactor(screen, *factor * g_percent / 100);
}

} // namespace

int larger(int percent)
{
    const auto *next = std::upper_bound(steps.begin(), steps.end(), percent);
    return next == steps.end() ? largest : *next;
}

int smaller(int percent)
{
    const auto *next = std::lower_bound(steps.begin(), steps.end(), percent);
    return next == steps.begin() ? smallest : *(next - 1);
}

int percent()
{
    return g_percent;
}

void setPercent(QWidget &window, int percent)
{
    percent = std::clamp(percent, smallest, largest);
    if (percent == g_percent)
        return;
    const QSizeF onScreen = QSizeF(window.size()) * window.devicePixelRatioF();
    g_percent = percent;
    static const bool followsScreens =
        bool(QObject::connect(qApp, &QGuiApplication::screenAdded, qApp, &scaleScreen));
    Q_UNUSED(followsScreens)
    for (QScreen *screen : QGuiApplication::screens())
        scaleScreen(screen);
    window.resize((onScreen / window.devicePixelRatioF()).toSize());
    // Qt tells nobody before 6.6. Pictures that labels hold are made anew, as for another theme.
    for (QWidget *widget : QApplication::allWidgets()) {
        QEvent event(QEvent::PaletteChange);
        QCoreApplication::sendEvent(widget, &event);
        widget->update();
    }
}

} // namespace proclab::windowScale
