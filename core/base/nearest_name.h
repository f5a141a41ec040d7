// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <QString>
#include <QStringList>

namespace proclab {

/// Which of @p names was most likely meant by @p word, which is none of them; empty: none is near.
///
/// Near is what takes few insertions, deletions, replacements and swaps of neighbours to get to: at
/// most a third of the longer one's length, and one at least. Upper and lower case are the same. Of
/// names that are as near the first counts.
[[nodiscard]] QString nearestName(const QString &word, const QStringList &names);

/// "did you mean pool-primes?", translated; empty: none of @p names is near @p word.
[[nodiscard]] QString suggestionText(const QString &word, const QStringList &names);

/// @p error, which says that @p word is none of @p names, with what was meant behind it.
[[nodiscard]] Error withSuggestion(Error error, const QString &word, const QStringList &names);

} // namespace proclab
