// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/spec/spec.h"

#include <QJsonArray>
#include <QString>

namespace proclab {

struct ProcessRole;

/// What the tasks or items of a run are called, the same wherever one is shown: "apple" if the
/// experiment names them, else "#27". Each has one number in the run, from 0, whoever makes it.
class ItemNames
{
public:
    ItemNames() = default;
    explicit ItemNames(const ExperimentSpec &spec);

    /// On one line, at most 32 characters.
    [[nodiscard]] QString nameOf(quint64 index) const;
    /// The first and the last of @p count whose numbers follow each other: "#4–9".
    [[nodiscard]] QString namesFrom(quint64 first, quint64 count) const;
    /// Whether the numbers of what a process with @p role does in a row follow each other.
    [[nodiscard]] bool followEachOther(const ProcessRole &role) const;

private:
    [[nodiscard]] QString textOf(quint64 index) const;

    ExperimentSpec m_spec;
    QJsonArray m_texts;
};

} // namespace proclab
