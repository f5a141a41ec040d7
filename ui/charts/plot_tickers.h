// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_ticks.h"

#include <qcustomplot.h>

namespace proclab {

/// Seconds in the unit that suits the range; the last tick in view names the unit.
class TimeTicker final : public QCPAxisTicker
{
public:
    void generate(const QCPRange &range, const QLocale &locale, QChar format, int precision,
                  QVector<double> &ticks, QVector<double> *subTicks,
                  QVector<QString> *tickLabels) override
    {
        m_end = range.upper;
        QCPAxisTicker::generate(range, locale, format, precision, ticks, subTicks, tickLabels);
    }

protected:
    double getTickStep(const QCPRange &range) override { return niceCeiling(range.size() / 5); }
    QVector<QString> createLabelVector(const QVector<double> &ticks, const QLocale &, QChar,
                                       int) override
    {
        QVector<QString> labels;
        qsizetype lastInView = 0;
        for (const double tick : ticks) {
            if (tick <= m_end * (1 + 1e-9))
                lastInView = labels.size();
            labels.append(timeTickText(tick, m_end));
        }
        if (!labels.isEmpty())
            labels[lastInView] += u'\u00A0' % timeTickUnit(m_end);
        return labels;
    }

private:
    double m_end = 1;
};

class NumberTicker final : public QCPAxisTicker
{
public:
    /// The axis counts things: no ticks between whole numbers.
    void setWhole(bool whole) { m_whole = whole; }

protected:
    double getTickStep(const QCPRange &range) override
    {
        m_top = range.upper;
        return valueStep(range.upper, m_whole);
    }
    QString getTickLabel(double tick, const QLocale &, QChar, int) override
    {
        return valueTickText(tick, m_top);
    }

private:
    double m_top = 1;
    bool m_whole = false;
};

} // namespace proclab
