// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QString>

namespace proclab {

/// Buttons that send a process a signal: stop, continue, terminate, kill. Stands beside the card of
/// the process that is selected.
class ProcessActions final : public QFrame
{
    Q_OBJECT

public:
    explicit ProcessActions(QWidget *parent = nullptr);

    /// @p name is for tips and screen readers.
    void setProcess(const QString &name);

Q_SIGNALS:
    void asked(int signal);
};

} // namespace proclab
