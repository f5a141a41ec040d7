// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

namespace proclab {

/// What the keys do.
class ShortcutList final : public QDialog
{
    Q_OBJECT

public:
    explicit ShortcutList(QWidget *parent = nullptr);
};

} // namespace proclab
