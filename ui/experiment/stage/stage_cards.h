// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"

#include <QList>
#include <QPainter>
#include <QRectF>
#include <QString>

#include <optional>
#include <vector>

namespace proclab {

/// How much of a process a stage shows, by how many there are and how much room.
enum class CardStyle {
    Full,    ///< Name, PID, state; task and time; sparkline, CPU, count.
    Compact, ///< The same without the sparkline, in two lines.
    Row,     ///< One line of 22 to 28 px.
    Square,  ///< A square of 24 px or less in the colour of the process.
};

struct CardLayout
{
    CardStyle style = CardStyle::Full;
    QList<QRectF>
        rects; ///< One for each asked for, in order; without overlap, all inside the area.
};

/// Puts cards into @p area from top to bottom, as large as they fit but no larger than @p largest:
/// cards for up to 12, rows for up to 40, then squares. @p isDead has an entry for each: a dead
/// process's card is lower. Pure.
[[nodiscard]] CardLayout arrangeCards(const QRectF &area, const QList<bool> &isDead,
                                      CardStyle largest = CardStyle::Full);

/// Which of @p processes with @p role a stage shows, in the order of lanes: those that none
/// replaces, and the two that died last. Pure.
[[nodiscard]] QList<int> shownProcesses(const QList<ProcessRecord> &processes,
                                        const ProcessRole &role);

/// What the widest card of a stage has to show: all cards ask for it, so that they have one form.
struct CardForm
{
    double badgeWidth = 38;
    QList<ProcessState> waits; ///< How its processes may wait, beside for a task.

    bool operator==(const CardForm &) const = default;
};

/// What a card says.
struct CardContent
{
    ProcessRecord process;
    std::optional<ProcessLive> live; ///< None before a run.
    std::vector<float> cpu;          ///< The last samples, percent of one core.
    QString task;                    ///< "#11", "idle".
    QString taskText;                ///< "cpu.primes", "in put(), no slot".
    QString taskTime;                ///< "1.57 s"
    QString count;                   ///< "3 done"
    QString note;                    ///< "blocked 71 %"; may be empty.
    bool noteIsWarning = false;
    bool isNoteFact = false; ///< One of the facts says the same.
    struct Fact
    {
        enum class Tone { Plain, Warning, Bad };

        QString label; ///< "Memory"
        QString value; ///< "31 MiB"
        Tone tone = Tone::Plain;

        bool operator==(const Fact &) const = default;
    };
    QList<Fact> facts;   ///< Shown as far as there is room, the first ones first.
    bool isIdle = false; ///< Before a run: nothing is measured.
    bool isSelected = false;
    CardForm form;

    bool operator==(const CardContent &) const = default;
};

/// Of a Square only the process's name, colour, state and selection are read.
void paintProcessCard(QPainter &painter, const QRectF &rect, CardStyle style,
                      const CardContent &content);

} // namespace proclab
