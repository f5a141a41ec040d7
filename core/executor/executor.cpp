// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

Result<StreamConfig> Executor::streamConfig(const MapOptions &options)
{
    const QString allowed = ErrorText::tr("1 or more");
    if (options.chunkSize < 1)
        return invalidArgument(u"chunkSize"_s, QString::number(options.chunkSize), allowed);
    if (const int ahead = options.lookAhead.value_or(1); ahead < 1)
        return invalidArgument(u"lookAhead"_s, QString::number(ahead), allowed);
    StreamConfig config;
    config.chunkSize = static_cast<std::size_t>(options.chunkSize);
    config.limit = options.timeout;
    if (options.lookAhead) {
        config.ahead = static_cast<std::size_t>(*options.lookAhead);
        config.chunkSize = std::min(config.chunkSize, config.ahead);
    }
    return config;
}

Error Executor::forcedStop()
{
    return {ErrorCode::ShutDown, {}, ErrorText::tr("the workers were ended")};
}

} // namespace proclab
