// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/shortcut_list.h"

#include "ui/shared/theme.h"

#include <QDialogButtonBox>
#include <QGridLayout>
#include <QLabel>

using namespace Qt::StringLiterals;

namespace proclab {

ShortcutList::ShortcutList(QWidget *parent) : QDialog(parent)
{
    setWindowTitle(tr("Keyboard"));
    struct Row
    {
        QString keys;
        QString effect;
    };
    const QList<Row> rows{
        {u"F5, Ctrl+R"_s, tr("Run the experiment")},
        {u"Shift+F5"_s, tr("Stop it, with its processes")},
        {u"Ctrl+O"_s, tr("Open an experiment file")},
        {u"Ctrl+1 … 9"_s, tr("Go to a page, counted from the top of the rail")},
        {u"Ctrl+B"_s, tr("Collapse or widen the rail")},
        {u"Ctrl+Shift+B"_s, tr("Show or hide the configuration")},
        {u"Ctrl+J"_s, tr("Show or hide the dock")},
        {u"Alt+1 … 5"_s, tr("Go to a tab of the dock")},
        {u"+  −  0"_s, tr("Timeline: zoom in, zoom out, show all")},
        {u"←  →  End"_s, tr("Timeline: move, follow the present")},
        {u"↑  ↓"_s, tr("Timeline: choose a process. Fields: next value")},
        {u"Ctrl+C"_s, tr("Tables: copy the selected rows")},
        {u"Ctrl++  Ctrl+−  Ctrl+0"_s, tr("Everything larger, smaller, as at first")},
        {u"Ctrl+Shift+L"_s, tr("Light or dark theme")},
        {u"F1, Ctrl+/"_s, tr("This list")},
        {u"Ctrl+Q"_s, tr("Quit; ends a run in progress")},
    };
    auto *grid = new QGridLayout(this);
    grid->setContentsMargins(24, 24, 24, 16);
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(6);
    for (const Row &row : rows) {
        auto *keys = new QLabel(row.keys, this);
        keys->setFont(monoFont(TextSize::Small));
        auto *effect = new QLabel(row.effect, this);
        effect->setProperty("tone", u"text2"_s);
        const int line = grid->rowCount();
        grid->addWidget(keys, line, 0);
        grid->addWidget(effect, line, 1);
    }
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    grid->addWidget(buttons, grid->rowCount(), 0, 1, 2);
}

} // namespace proclab
