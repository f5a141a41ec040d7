// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_label.h"

#include "ui/shared/theme.h"

#include <QFontMetricsF>
#include <qcustomplot.h>

using namespace Qt::StringLiterals;

namespace proclab {

QCPItemText *makeLabel(QCustomPlot *plot)
{
    auto *text = new QCPItemText(plot);
    text->setLayer(u"overlay"_s);
    text->position->setType(QCPItemPosition::ptAbsolute);
    text->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
    text->setPadding(QMargins(2, 0, 2, 0));
    return text;
}

void styleLabel(QCPItemText *text, const QColor &color)
{
    QColor halo = Theme::current().panel;
    halo.setAlphaF(0.8F);
    text->setBrush(halo);
    text->setColor(color);
    text->setFont(textFont(TextSize::Caption));
}

QSizeF labelSize(const QCPItemText *text)
{
    const QFontMetricsF metrics(text->font());
    return {metrics.horizontalAdvance(text->text()) + 4, metrics.height()};
}

} // namespace proclab
