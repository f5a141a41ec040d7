// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/icon.h"

#include "ui/shared/theme.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QSvgRenderer>

#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QColor toneColor(IconTone tone)
{
    const Theme &theme = Theme::current();
    switch (tone) {
    case IconTone::Text:
        return theme.text;
    case IconTone::Text2:
        return theme.text2;
    case IconTone::Text3:
        return theme.text3;
    case IconTone::Accent:
        return theme.accent;
    case IconTone::OnAccent:
        return theme.onAccent;
    case IconTone::Ok:
        return theme.ok;
    case IconTone::Warn:
        return theme.warn;
    case IconTone::Crash:
        return theme.crash;
    }
    return theme.text2;
}

QByteArray colored(QByteArray svg, const QColor &color)
{
    svg.replace("currentColor", color.name().toLatin1());
    for (int index = 0; index < 3; ++index) {
        const QByteArray name = QByteArrayLiteral("process") + QByteArray::number(index);
        svg.replace(name, Theme::current().process(index).name().toLatin1());
    }
    return svg;
}

class ThemedIconEngine final : public QIconEngine
{
public:
    ThemedIconEngine(const QString &name, IconTone tone) : m_name(name), m_tone(tone)
    {
        QFile file(u":/icons/%1.svg"_s.arg(name));
        if (file.open(QIODevice::ReadOnly))
            m_svg = file.readAll();
    }

    void paint(QPainter *painter, const QRect &rect, QIcon::Mode mode, QIcon::State) override
    {
        const QColor color =
            mode == QIcon::Disabled ? Theme::current().disabled : toneColor(m_tone);
        QSvgRenderer renderer(colored(m_svg, color));
        renderer.setAspectRatioMode(Qt::KeepAspectRatio);
        renderer.render(painter, rect);
    }

    QPixmap pixmap(const QSize &size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }

    QIconEngine *clone() const override { return new ThemedIconEngine(*this); }
    QString key() const override { return u"proclab-themed"_s; }
    bool isNull() override { return m_svg.isEmpty(); }

private:
    QString m_name;
    IconTone m_tone;
    QByteArray m_svg;
};

} // namespace

QIcon icon(const QString &name, IconTone tone)
{
    return QIcon(new ThemedIconEngine(name, tone));
}

QPixmap iconPixmap(const QString &name, IconTone tone, int size, qreal devicePixelRatio)
{
    const int pixels = static_cast<int>(std::ceil(size * devicePixelRatio));
    QPixmap pixmap =
        ThemedIconEngine(name, tone).pixmap(QSize(pixels, pixels), QIcon::Normal, QIcon::Off);
    pixmap.setDevicePixelRatio(devicePixelRatio);
    return pixmap;
}

} // namespace proclab
