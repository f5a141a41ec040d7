// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace proclab {

namespace {

/// Longer words are no typing errors of a name.
constexpr qsizetype longestWord = 100;

/// The Damerau-Levenshtein distance in which no letter is changed twice (optimal string alignment):
/// F. J. Damerau, A technique for computer detection and correction of spelling errors, CACM 7
/// (1964); R. A. Wagner, M. J. Fischer, The string-to-string correction problem, JACM 21 (1974).
qsizetype distance(const QString &from, const QString &to)
{
    const auto columns = static_cast<std::size_t>(to.size()) + 1;
    std::vector<qsizetype> beforeLast(columns);
    std::vector<qsizetype> last(columns);
    std::vector<qsizetype> row(columns);
    std::iota(row.begin(), row.end(), 0);
    for (qsizetype i = 1; i <= from.size(); ++i) {
        std::swap(beforeLast, last);
        std::swap(last, row);
        row[0] = i;
        for (std::size_t k = 1; k < columns; ++k) {
            const auto j = static_cast<qsizetype>(k);
            const bool isSame = from[i - 1] == to[j - 1];
            row[k] = std::min({last[k] + 1, row[k - 1] + 1, last[k - 1] + (isSame ? 0 : 1)});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                row[k] = std::min(row[k], beforeLast[k - 2] + 1);
        }
    }
    return row.back();
}

} // namespace

QString nearestName(const QString &word, const QStringList &names)
{
    if (word.isEmpty() || word.size() > longestWord)
        return {};
    QString nearest;
    qsizetype least = 0;
    for (const QString &name : names) {
        const qsizetype length = std::max(word.size(), name.size());
        const qsizetype changes = distance(word.toCaseFolded(), name.toCaseFolded());
        // A change of every letter is no change but another word.
        const bool isNear = changes <= std::max<qsizetype>(1, length / 3) && changes < length;
        if (isNear && (nearest.isEmpty() || changes < least)) {
            nearest = name;
            least = changes;
        }
    }
    return nearest;
}

QString suggestionText(const QString &word, const QStringList &names)
{
    const QString name = nearestName(word, names);
    return name.isEmpty() ? QString() : ErrorText::tr("did you mean %1?").arg(name);
}

Error withSuggestion(Error error, const QString &word, const QStringList &names)
{
    const QString suggestion = suggestionText(word, names);
    if (!suggestion.isEmpty() && !error.allowed.isEmpty())
        error.allowed += u"; ";
    error.allowed += suggestion;
    return error;
}

} // namespace proclab
