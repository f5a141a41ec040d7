// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// What some of a kind's processes are for. The parent has none of these roles.
struct ProcessRole
{
    QString name;   ///< "producer": the stem of the processes' names, such as "producer-2".
    QString title;  ///< "Producer"
    QString plural; ///< "Producers"
    /// What it takes comes from several processes: the numbers in a row say nothing.
    bool takesFromMany = false;
    /// A field of the spec: so many processes number what they make in turn. Empty: it alone does.
    QString numbersInTurnField = {};

    [[nodiscard]] QString processName(int number) const
    {
        return name + u'-' + QString::number(number);
    }
};

} // namespace proclab
