// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QString>

namespace proclab {

/// A row of the rail.
struct PageInfo
{
    enum class Group { Learn, Lab, Observe };

    QString name; ///< "pool": for --page, the icon, and the kind that it shows.
    Group group = Group::Lab;
    QString title;
    QString subtitle; ///< What it is about, in one line.
};

/// All pages in the order of the rail, with the translators of that moment.
[[nodiscard]] QList<PageInfo> pages();

/// The page on which experiments of @p kind are shown: its own, or the one that it lives on. Empty
/// for a kind that is not known.
[[nodiscard]] QString pageOfKind(const QString &kind);

} // namespace proclab
