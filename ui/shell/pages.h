// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QString>

class QWidget;

namespace proclab {

class Engine;
class Page;
struct Kind;

/// A row of the rail.
struct PageInfo
{
    enum class Group { Learn, Lab, Observe };

    QString name; ///< For --page and the icon; of a page of the lab the name of its kind.
    Group group = Group::Lab;
    QString title;
    QString subtitle; ///< What it is about, in one line.
    /// Makes the page. Null: that of its kind, or one that says that it is not there yet.
    Page *(*make)(Engine &engine, QWidget *parent) = nullptr;
};

/// All pages in the order of the rail, with the translators of that moment.
[[nodiscard]] QList<PageInfo> pages();

/// The page on which experiments of @p kind are shown: its own, or the one that it is a guest on.
[[nodiscard]] QString pageOf(const Kind &kind);
/// The same by name; empty for a kind that is not known.
[[nodiscard]] QString pageOfKind(const QString &kind);

/// @p engine must outlive the page.
[[nodiscard]] Page *makePage(const PageInfo &info, Engine &engine, QWidget *parent);

} // namespace proclab
