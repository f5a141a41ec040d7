// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <QByteArray>
#include <QJsonObject>

namespace proclab {

/// Something to tell of a run, kept as a code and facts. The words are made when it is shown, by
/// eventText() and noticeText(), so that an old run speaks the language of today's reader.
struct RunNote
{
    /// "gate_open"; what only one kind tells begins with the kind's name and a dot.
    /// Empty: nothing to tell.
    QByteArray code;
    QJsonObject facts = {}; ///< Numbers, and positions in the lists of RunLog.

    [[nodiscard]] bool isEmpty() const { return code.isEmpty(); }
    [[nodiscard]] qint64 integer(QLatin1StringView fact) const
    {
        return facts.value(fact).toInteger();
    }
    [[nodiscard]] double number(QLatin1StringView fact) const
    {
        return facts.value(fact).toDouble();
    }
    /// Of a note that was made from an error.
    [[nodiscard]] Error error() const;

    bool operator==(const RunNote &) const = default;
};

/// A note on @p error; what a task threw or a program wrote is not kept.
[[nodiscard]] RunNote errorNote(const QByteArray &code, const Error &error);

} // namespace proclab
