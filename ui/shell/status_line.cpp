// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/status_line.h"

#include "core/experiment/run/run_sampler.h"
#include "ui/shared/style_sheet.h"
#include "ui/shared/theme.h"
#include "ui/shell/window_scale.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPixmap>
#include <QSysInfo>
#include <QThread>

#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int statusLineHeight = 24;
constexpr int machineNeedsWidth = 760;
constexpr int samplingNeedsWidth = 560;

QColor stateColor(const RunStatus &status)
{
    const Theme &theme = Theme::current();
    if (status.failed)
        return theme.crash;
    return status.isActive() ? theme.ok : theme.idle;
}

QString samplingText(const RunStatus &status)
{
    if (status.state == RunSource::State::Idle)
        return {};
    const QString rate = StatusLine::tr("Sampling %1 Hz").arg(1000 / RunSampler::intervalMs);
    if (status.samplingPercent < 0)
        return rate;
    return StatusLine::tr("%1, %2 % of one core").arg(rate).arg(status.samplingPercent, 0, 'f', 1);
}

/// "6.1" of "6.1.0-18-amd64"
QString kernelVersion()
{
    return QSysInfo::kernelVersion().section(u'.', 0, 1);
}

} // namespace

StatusLine::StatusLine(QWidget *parent) : QWidget(parent)
{
    setProperty("role", u"statusline"_s);
    setAttribute(Qt::WA_StyledBackground);
    setFixedHeight(statusLineHeight);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(16, 1, 16, 0);
    row->setSpacing(6);
    m_dot = addLabel({});
    m_state = addLabel(u"text2"_s);
    row->addSpacing(10);
    m_events = addLabel(u"text3"_s);
    m_dropped = addLabel(u"text3"_s);
    row->addSpacing(10);
    m_sampling = addLabel(u"text3"_s);
    row->addStretch(1);
    m_scale = addLabel(u"text3"_s);
    m_scale->setToolTip(tr("Ctrl++ makes everything larger, Ctrl+− smaller; Ctrl+0 ends it"));
    setScale(windowScale::percent());
    row->addSpacing(10);
    m_machine = addLabel(u"text3"_s);
    row->addSpacing(10);
    QLabel *help = addLabel(u"text3"_s);
    help->setText(tr("Press F1 for help"));
    help->setToolTip(tr("F1 lists all keyboard shortcuts"));
    addTips();
    clearStatus();
}

void StatusLine::addTips()
{
    const QString state = tr("How the run of this page stands");
    m_dot->setToolTip(state);
    m_state->setToolTip(state);
    m_events->setToolTip(tr("Starts, ends and faults of processes so far; the dock lists them"));
    m_machine->setToolTip(
        tr("How child processes are started, the system's version, and the cores that it offers"));
    m_dropped->setToolTip(
        tr("Bars that came too fast to be kept; the counts are exact all the same"));
    m_sampling->setToolTip(tr("CPU time that the lab itself spends on reading the processes"));
}

QLabel *StatusLine::addLabel(const QString &tone)
{
    auto *label = new QLabel(this);
    label->setFont(textFont(TextSize::Caption));
    label->setTextFormat(Qt::PlainText);
    label->setProperty("tone", tone);
    layout()->addWidget(label);
    return label;
}

void StatusLine::setStatus(const RunStatus &status)
{
    const bool stateChanged =
        status.isActive() != m_status.isActive() || status.failed != m_status.failed;
    m_status = status;
    m_state->setText(proclab::stateText(status));
    const bool idle = status.state == RunSource::State::Idle;
    const QString events = groupedNumber(static_cast<qint64>(status.events));
    m_events->setText(status.events == 1 ? tr("1 event") : tr("%1 events").arg(events));
    m_events->setVisible(!idle);
    m_dropped->setText(
        tr("%1 dropped").arg(groupedNumber(static_cast<qint64>(status.droppedSpans))));
    m_dropped->setVisible(!idle);
    setStyleProperty(m_dropped, "tone", status.droppedSpans > 0 ? u"warn"_s : u"text3"_s);
    m_sampling->setText(samplingText(status));
    showMachine(status.startMethod);
    if (stateChanged)
        updateDot();
}

void StatusLine::clearStatus()
{
    setStatus({});
    updateDot();
}

void StatusLine::setScale(int percent)
{
    m_scale->setText(tr("Scale %1 %").arg(percent));
    m_scale->setVisible(percent != windowScale::smallest);
}

QString StatusLine::stateText() const
{
    return m_state->text();
}

void StatusLine::showMachine(const QString &startMethod)
{
    static const QString system = u"Linux "_s % kernelVersion();
    static const int cores = QThread::idealThreadCount();
    QString text = system % u" · "_s % (cores == 1 ? tr("1 core") : tr("%1 cores").arg(cores));
    if (!startMethod.isEmpty())
        text = startMethod % u" · "_s % text;
    m_machine->setText(text);
}

void StatusLine::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        updateDot();
    QWidget::changeEvent(event);
}

void StatusLine::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    m_machine->setVisible(width() >= machineNeedsWidth);
    m_sampling->setVisible(width() >= samplingNeedsWidth);
}

void StatusLine::updateDot()
{
    const qreal ratio = devicePixelRatioF();
    QPixmap dot(static_cast<int>(std::ceil(8 * ratio)), static_cast<int>(std::ceil(8 * ratio)));
    dot.setDevicePixelRatio(ratio);
    dot.fill(Qt::transparent);
    QPainter painter(&dot);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(stateColor(m_status));
    painter.drawEllipse(QRectF(1, 1, 6, 6));
    painter.end();
    m_dot->setPixmap(dot);
}

} // namespace proclab
