// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/planned_page.h"

#include "ui/shared/icon.h"
#include "ui/shared/theme.h"

#include <QLabel>
#include <QVBoxLayout>

using namespace Qt::StringLiterals;

namespace proclab {

PlannedPage::PlannedPage(const PageInfo &page, QWidget *parent) : Page(parent)
{
    setProperty("role", u"panel"_s);
    setAttribute(Qt::WA_StyledBackground);
    auto *title = new QLabel(page.title, this);
    title->setFont(textFont(TextSize::Title, QFont::DemiBold));
    auto *about = new QLabel(page.subtitle, this);
    about->setProperty("tone", u"text2"_s);
    auto *state = new QLabel(tr("This page is not there yet."), this);
    state->setProperty("tone", u"text3"_s);

    auto *column = new QVBoxLayout(this);
    column->setSpacing(8);
    column->addStretch(1);
    for (QLabel *label : {title, about, state}) {
        label->setAlignment(Qt::AlignCenter);
        column->addWidget(label);
    }
    column->addStretch(1);
    setAccessibleName(page.title);
    setAccessibleDescription(state->text());
}

} // namespace proclab
