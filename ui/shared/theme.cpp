// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/theme.h"

#include "ui/shared/style_sheet.h"

#include <QApplication>
#include <QFontDatabase>
#include <QHash>
#include <QPainter>
#include <QPixmap>
#include <QStyle>
#include <QStyleFactory>

#include <algorithm>
#include <array>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

struct ProcessColor
{
    QRgb color;
    QRgb text;
};

constexpr QRgb ink = 0xFF101216;
constexpr QRgb white = 0xFFFFFFFF;

// Given out in this order: the first four and the first six are the best to tell apart, also
// without red, green or blue cones.
constexpr std::array<ProcessColor, 12> darkProcesses{{
    {0xFF5285DD, ink},
    {0xFF64C173, ink},
    {0xFFF677AA, ink},
    {0xFFCEE676, ink},
    {0xFFBEA2FF, ink},
    {0xFFA6D6DC, ink},
    {0xFFAE8270, ink},
    {0xFF2D998E, ink},
    {0xFFE3D8A8, ink},
    {0xFFF5C2FF, ink},
    {0xFFA9AED9, ink},
    {0xFF619D45, ink},
}};

constexpr std::array<ProcessColor, 12> lightProcesses{{
    {0xFF2F64F2, white},
    {0xFF347345, white},
    {0xFFC6437C, white},
    {0xFF8E8E34, ink},
    {0xFF582499, white},
    {0xFF199AAC, ink},
    {0xFF772D00, white},
    {0xFF004C4B, white},
    {0xFF836815, white},
    {0xFF954D9B, white},
    {0xFF2B315B, white},
    {0xFF3C4D35, white},
}};

Theme darkTheme()
{
    Theme theme;
    theme.dark = true;
    theme.window = 0x14161A;
    theme.panel = 0x1B1E24;
    theme.raised = 0x23272F;
    theme.hover = 0x2B303A;
    theme.sunken = 0x171A1F;
    theme.border = 0x2C323B;
    theme.borderStrong = 0x3F4754;
    theme.field = 0x626B78;
    theme.text = 0xE7EAEF;
    theme.text2 = 0xB1B8C4;
    theme.text3 = 0x9099A7;
    theme.disabled = 0x626B78;
    theme.accent = 0x8B98FF;
    theme.accentFill = 0x5B69DE;
    theme.accentTint = 0x262B45;
    theme.onAccent = 0xFFFFFF;
    theme.ok = 0x66C98B;
    theme.okTint = 0x1D3328;
    theme.warn = 0xE8B33D;
    theme.warnTint = 0x352C17;
    theme.full = 0xF0885A;
    theme.fullTint = 0x38251D;
    theme.crash = 0xF4717A;
    theme.crashTint = 0x3A2127;
    theme.idle = 0x626B78;
    theme.grid = 0x282D36;
    theme.axis = 0x4A5260;
    theme.parent = 0xC6CCD6;
    return theme;
}

Theme lightTheme()
{
    Theme theme;
    theme.dark = false;
    theme.window = 0xF1F3F6;
    theme.panel = 0xFFFFFF;
    theme.raised = 0xF6F7F9;
    theme.hover = 0xECEEF2;
    theme.sunken = 0xF8F9FB;
    theme.border = 0xDEE2E8;
    theme.borderStrong = 0xBFC6D0;
    theme.field = 0x8A929F;
    theme.text = 0x191D23;
    theme.text2 = 0x48515E;
    theme.text3 = 0x626B78;
    theme.disabled = 0x9BA3AF;
    theme.accent = 0x4250CF;
    theme.accentFill = 0x4957DB;
    theme.accentTint = 0xE8EAFC;
    theme.onAccent = 0xFFFFFF;
    theme.ok = 0x1B7A49;
    theme.okTint = 0xE3F3EA;
    theme.warn = 0x8A5800;
    theme.warnTint = 0xFBF1DC;
    theme.full = 0xB44410;
    theme.fullTint = 0xFCECE3;
    theme.crash = 0xBF2B38;
    theme.crashTint = 0xFBE7E9;
    theme.idle = 0x8A929F;
    theme.grid = 0xECEEF2;
    theme.axis = 0xA7AFBB;
    theme.parent = 0x4D5663;
    return theme;
}

Theme g_theme = darkTheme();
Theme::Mode g_mode = Theme::Mode::System;

QHash<QString, QPixmap> &hatchTiles()
{
    static QHash<QString, QPixmap> tiles;
    return tiles;
}

const ProcessColor &processColor(bool dark, int colorIndex)
{
    const auto &colors = dark ? darkProcesses : lightProcesses;
    return colors[static_cast<std::size_t>(colorIndex) % colors.size()];
}

/// The palette that the system gave the program, before the theme's own took its place.
const QPalette &systemPalette()
{
    static const QPalette palette = QApplication::palette();
    return palette;
}

bool systemIsDark()
{
    const QPalette &palette = systemPalette();
    return palette.color(QPalette::Window).lightnessF() <
           palette.color(QPalette::WindowText).lightnessF();
}

QPalette paletteOf(const Theme &theme)
{
    QPalette palette;
    const std::pair<QPalette::ColorRole, QColor> roles[] = {
        {QPalette::Window, theme.window},
        {QPalette::WindowText, theme.text},
        {QPalette::Base, theme.panel},
        {QPalette::AlternateBase, theme.raised},
        {QPalette::Button, theme.raised},
        {QPalette::ButtonText, theme.text},
        {QPalette::ToolTipBase, theme.raised},
        {QPalette::ToolTipText, theme.text},
        {QPalette::Text, theme.text},
        {QPalette::PlaceholderText, theme.text3},
        {QPalette::BrightText, theme.onAccent},
        {QPalette::Light, theme.hover},
        {QPalette::Midlight, theme.hover},
        {QPalette::Mid, theme.border},
        {QPalette::Dark, theme.borderStrong},
        {QPalette::Shadow, theme.borderStrong},
        {QPalette::Highlight, theme.accentTint},
        {QPalette::HighlightedText, theme.text},
        {QPalette::Link, theme.accent},
        {QPalette::LinkVisited, theme.accent},
    };
    for (const auto &[role, color] : roles)
        palette.setColor(role, color);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, theme.disabled);
    return palette;
}

QPixmap hatchTile(Theme::Hatch hatch, const QColor &stripe, const QColor &ground,
                  qreal devicePixelRatio)
{
    const bool upright = hatch == Theme::Hatch::BlockedOnFull;
    const int size = upright ? 5 : 6;
    const qreal width = upright ? 1.5 : 2.0;
    const int pixels = std::max(1, static_cast<int>(std::lround(size * devicePixelRatio)));
    QPixmap tile(pixels, pixels);
    tile.fill(ground);
    QPainter painter(&tile);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.scale(static_cast<qreal>(pixels) / size, static_cast<qreal>(pixels) / size);
    if (upright) {
        painter.fillRect(QRectF(0, 0, width, size), stripe);
    } else {
        painter.setPen(QPen(stripe, width, Qt::SolidLine, Qt::SquareCap));
        // Three lines, so that the stripe is whole where it crosses the tile's corners.
        for (int shift = -size; shift <= size; shift += size) {
            if (hatch == Theme::Hatch::Crashed)
                painter.drawLine(QPointF(shift, 0), QPointF(shift + size, size));
            else
                painter.drawLine(QPointF(shift, size), QPointF(shift + size, 0));
        }
    }
    painter.end();
    tile.setDevicePixelRatio(static_cast<qreal>(pixels) / size);
    return tile;
}

QFont systemFont(QFontDatabase::SystemFont kind)
{
    return QFontDatabase::systemFont(kind);
}

/// The design's sizes hold for a system font of 10 pt; a larger one scales them.
qreal fontScale()
{
    static const qreal scale = [] {
        const QString platform = QGuiApplication::platformName();
        const qreal points = systemFont(QFontDatabase::GeneralFont).pointSizeF();
        if (points <= 0 || platform == u"offscreen"_s || platform == u"minimal"_s)
            return 1.0;
        return std::clamp(points / 10.0, 1.0, 2.0);
    }();
    return scale;
}

QString faceOrSystem(const QString &face, QFontDatabase::SystemFont kind)
{
    return QFontDatabase::families().contains(face) ? face : systemFont(kind).family();
}

qreal pixels(TextSize size)
{
    switch (size) {
    case TextSize::Tick:
        return 10.5;
    case TextSize::Caption:
        return 11;
    case TextSize::Small:
        return 12;
    case TextSize::Body:
        return 13;
    case TextSize::Title:
        return 15;
    case TextSize::Result:
        return 28;
    }
    return 13;
}

QFont sizedFont(const QString &family, TextSize size, QFont::Weight weight)
{
    QFont font(family);
    // Points at the logical resolution: QFont takes whole pixels only, and ticks have 10.5.
    const qreal dotsPerInch = QFontMetricsF(font).fontDpi();
    font.setPointSizeF(pixels(size) * fontScale() * 72.0 / dotsPerInch);
    font.setWeight(weight);
    return font;
}

} // namespace

QColor Theme::process(int colorIndex) const
{
    return colorIndex < 0 ? parent : QColor(processColor(dark, colorIndex).color);
}

QColor Theme::onProcess(int colorIndex) const
{
    if (colorIndex < 0)
        return dark ? QColor(ink) : QColor(white);
    return QColor(processColor(dark, colorIndex).text);
}

QColor Theme::tint(const QColor &color, double share) const
{
    const auto mix = [share](float over, float under) {
        return static_cast<float>(over * share + under * (1 - share));
    };
    return QColor::fromRgbF(mix(color.redF(), panel.redF()), mix(color.greenF(), panel.greenF()),
                            mix(color.blueF(), panel.blueF()));
}

QBrush Theme::hatch(Hatch hatch, const QColor &color, qreal devicePixelRatio) const
{
    const QString key = u"%1/%2/%3/%4"_s.arg(static_cast<int>(hatch))
                            .arg(color.rgba())
                            .arg(devicePixelRatio)
                            .arg(dark);
    QPixmap &tile = hatchTiles()[key];
    if (tile.isNull()) {
        const double stripe = hatch == Hatch::ReadyToRun ? 0.55
                              : hatch == Hatch::Crashed  ? 0.8
                                                         : 0.5;
        QColor ground = tint(color, 0.10);
        if (hatch == Hatch::WaitingForLock)
            ground = warnTint;
        else if (hatch == Hatch::BlockedOnFull)
            ground = fullTint;
        else if (hatch == Hatch::Crashed)
            ground = crashTint;
        tile = hatchTile(hatch, tint(color, stripe), ground, devicePixelRatio);
    }
    return QBrush(tile);
}

const Theme &Theme::current()
{
    return g_theme;
}

Theme::Mode Theme::mode()
{
    return g_mode;
}

void Theme::apply(QApplication &application, Mode mode)
{
    const bool dark = mode == Mode::System ? systemIsDark() : mode == Mode::Dark;
    systemPalette(); // Kept before the first palette of ours hides it.
    g_mode = mode;
    g_theme = dark ? darkTheme() : lightTheme();
    hatchTiles().clear();
    if (application.style()->objectName().compare(u"fusion"_s, Qt::CaseInsensitive) != 0)
        QApplication::setStyle(QStyleFactory::create(u"Fusion"_s));
    QApplication::setFont(textFont(TextSize::Body));
    QApplication::setPalette(paletteOf(g_theme));
    application.setStyleSheet(styleSheet(g_theme));
}

QFont textFont(TextSize size, QFont::Weight weight)
{
    static const QString face = faceOrSystem(u"Inter"_s, QFontDatabase::GeneralFont);
    return sizedFont(face, size, weight);
}

QFont monoFont(TextSize size, QFont::Weight weight)
{
    static const QString face = faceOrSystem(u"JetBrains Mono"_s, QFontDatabase::FixedFont);
    QFont font = sizedFont(face, size, weight);
    font.setStyleHint(QFont::Monospace);
    return font;
}

} // namespace proclab
