// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/process_actions.h"

#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QToolButton>

#include <csignal>

using namespace Qt::StringLiterals;

namespace proclab {

ProcessActions::ProcessActions(QWidget *parent) : QFrame(parent)
{
    setProperty("role", u"actions"_s);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(3, 3, 3, 3);
    row->setSpacing(2);
    struct Action
    {
        int signal;
        QString text;
        QString tip;
    };
    const Action actions[] = {
        {SIGSTOP, tr("Stop"), tr("SIGSTOP: it stands still until it is told to continue")},
        {SIGCONT, tr("Continue"), tr("SIGCONT: goes on after a stop")},
        {SIGTERM, tr("Terminate"), tr("SIGTERM: asks it to end, as Process.terminate() does")},
        {SIGKILL, tr("Kill"), tr("SIGKILL: ends it at once, as Process.kill() does")},
    };
    for (const Action &action : actions) {
        auto *button = new QToolButton(this);
        button->setText(action.text);
        button->setToolTip(action.tip);
        button->setFont(textFont(TextSize::Small));
        button->setFocusPolicy(Qt::StrongFocus);
        connect(button, &QToolButton::clicked, this,
                [this, signal = action.signal] { Q_EMIT asked(signal); });
        row->addWidget(button);
    }
}

void ProcessActions::setProcess(const QString &name)
{
    setAccessibleName(tr("Signals to %1").arg(name));
    for (auto *button : findChildren<QToolButton *>())
        button->setAccessibleName(tr("%1 %2").arg(button->text(), name));
}

} // namespace proclab
