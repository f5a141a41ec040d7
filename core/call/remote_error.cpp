// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"

#include <map>
#include <string>

namespace proclab {

namespace {

std::map<std::string, exception_detail::Thrower> &throwers()
{
    static std::map<std::string, exception_detail::Thrower> byType;
    return byType;
}

} // namespace

RemoteError::RemoteError(Error error)
    : std::runtime_error(errorText(error).toStdString())
    , m_error(std::move(error))
{}

bool exception_detail::registerThrower(const char *rawType, Thrower thrower)
{
    return throwers().emplace(rawType, thrower).second;
}

void throwError(const Error &error)
{
    if (error.remote) {
        const auto known = throwers().find(error.remote->rawType);
        if (known != throwers().end() && !error.remote->value.isEmpty()) {
            try {
                known->second(error.remote->value);
            } catch (const DecodeError &) { // Damaged: reported like an unregistered type.
            }
        }
    }
    throw RemoteError(error);
}

} // namespace proclab
