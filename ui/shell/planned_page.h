// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/run/page.h"
#include "ui/shell/pages.h"

namespace proclab {

/// Stands where a page will be: says what it is about and that it is not there yet.
class PlannedPage final : public Page
{
    Q_OBJECT

public:
    explicit PlannedPage(const PageInfo &page, QWidget *parent = nullptr);
};

} // namespace proclab
