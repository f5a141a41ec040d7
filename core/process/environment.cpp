// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/environment.h"

using namespace Qt::StringLiterals;

namespace proclab {

Result<std::string> encodeEnvironment(const Environment &environment)
{
    std::string entries;
    for (auto each = environment.begin(); each != environment.end(); ++each) {
        const QString entry = each.key() % u'=' % each.value();
        if (each.key().isEmpty() || each.key().contains(u'=') || entry.contains(QChar(0)))
            return invalidArgument(u"environment"_s, entry,
                                   ErrorText::tr("names without \"=\", and no zero characters"));
        entries += entry.toStdString() + '\0';
    }
    return entries;
}

} // namespace proclab
