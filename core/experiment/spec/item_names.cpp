// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/item_names.h"

#include "core/experiment/spec/kind.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qsizetype longestName = 32;
/// Of a text, which may be a megabyte.
constexpr qsizetype charactersRead = 4 * longestName;

} // namespace

ItemNames::ItemNames(const ExperimentSpec &spec) : m_spec(spec)
{
    const Kind *kind = spec.kindInfo();
    if (kind && !kind->itemNamesField.isEmpty())
        m_texts = spec.value(kind->itemNamesField).toArray();
}

/// Empty: it has no name.
QString ItemNames::textOf(quint64 index) const
{
    if (index >= static_cast<quint64>(m_texts.size()))
        return {};
    const QString text = m_texts.at(static_cast<qsizetype>(index)).toString();
    QString name = text.first(std::min(text.size(), charactersRead)).simplified();
    if (name.size() <= longestName)
        return name;
    name.truncate(longestName - (name[longestName - 2].isHighSurrogate() ? 2 : 1));
    return name + u'\u2026';
}

QString ItemNames::nameOf(quint64 index) const
{
    const QString text = textOf(index);
    return text.isEmpty() ? QString(u'#' % QString::number(index)) : text;
}

QString ItemNames::namesFrom(quint64 first, quint64 count) const
{
    if (count <= 1)
        return nameOf(first);
    const quint64 last = first + count - 1;
    const bool haveNumbers = textOf(first).isEmpty() && textOf(last).isEmpty();
    return haveNumbers ? QString(nameOf(first) % u'\u2013' % QString::number(last))
                       : QString(nameOf(first) % u" \u2013 " % nameOf(last));
}

bool ItemNames::followEachOther(const ProcessRole &role) const
{
    return !role.takesFromMany &&
           (role.numbersInTurnField.isEmpty() || m_spec.integer(role.numbersInTurnField) <= 1);
}

} // namespace proclab
