// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/other_runs_bar.h"

#include "ui/shared/banner.h"

#include <QVBoxLayout>

using namespace Qt::StringLiterals;

namespace proclab {

OtherRunsBar::OtherRunsBar(QWidget *parent) : QWidget(parent), m_banner(new Banner(this))
{
    auto *rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->addWidget(m_banner);
    connect(m_banner, &Banner::closed, this, &QWidget::hide);
    connect(m_banner, &Banner::actionRequested, this, &OtherRunsBar::stopRequested);
    hide();
}

void OtherRunsBar::setRuns(const QStringList &titles)
{
    if (titles == m_titles)
        return;
    m_titles = titles;
    setVisible(!titles.isEmpty());
    if (titles.isEmpty())
        return;
    const bool isOne = titles.size() == 1;
    m_banner->showMessage(Banner::Tone::Warning,
                          isOne ? tr("Another run is going on (%1)").arg(titles.first())
                                : tr("Other runs are going on (%1)").arg(titles.join(u", "_s)),
                          tr("All runs share the cores, so the figures disturb each other."));
    m_banner->setAction(isOne ? tr("Stop %1").arg(titles.first()) : tr("Stop the others"));
}

} // namespace proclab
