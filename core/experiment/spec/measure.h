// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <optional>

namespace proclab {

struct RunResult;

/// A named figure of a result: what summaries say, what files hold and what runs are compared by.
struct Measure
{
    enum class Better { Neither, Higher, Lower };

    QString key;       ///< "items_per_s", as in files.
    QString title;     ///< "Throughput"
    QString unit = {}; ///< "items/s"; empty: a count.
    Better better = Better::Neither;
    /// The figure named @p key of @p result; nullopt: it was not measured.
    std::optional<double> (*read)(const RunResult &result, const QString &key) = nullptr;
    QString sentence = {}; ///< What a summary says where it is above 0: "%1 items per second".

    [[nodiscard]] std::optional<double> of(const RunResult &result) const
    {
        return read(result, key);
    }
};

} // namespace proclab
