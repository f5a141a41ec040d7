// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/task_registry.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <typeinfo>

#include <cxxabi.h>

namespace proclab::runtime {

namespace {

// Functions, since they are filled while other static objects are made.
std::vector<RegisteredTask> &tasks()
{
    static std::vector<RegisteredTask> list;
    return list;
}

std::map<std::string_view, ExceptionEncoder> &encoders()
{
    static std::map<std::string_view, ExceptionEncoder> byType;
    return byType;
}

/// std::throw_with_nested() throws a type of its own around the one that it is given.
std::string withoutNesting(std::string_view rawType)
{
    constexpr std::string_view before = "St17_Nested_exceptionI";
    if (rawType.starts_with(before) && rawType.ends_with('E'))
        return std::string(rawType.substr(before.size(), rawType.size() - before.size() - 1));
    return std::string(rawType);
}

void addNested(const std::exception &outer, std::vector<std::string> &nested)
{
    if (nested.size() == RemoteException::maxNested)
        return;
    try {
        std::rethrow_if_nested(outer);
    } catch (const std::exception &inner) {
        nested.push_back(readableTypeName(typeid(inner).name()) + ": " + inner.what());
        addNested(inner, nested);
    } catch (...) {
        nested.push_back("unknown exception");
    }
}

} // namespace

std::uint32_t registerTask(std::string_view name, TaskBody run, ChunkBody runChunk)
{
    tasks().push_back({name, run, runChunk});
    return static_cast<std::uint32_t>(tasks().size() - 1);
}

std::span<const RegisteredTask> registeredTasks()
{
    return tasks();
}

std::uint64_t registeredTasksHash()
{
    std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a, 64 bits
    for (const RegisteredTask &task : tasks()) {
        for (const char letter : task.name)
            hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
        hash = (hash ^ 0xff) * 0x100000001b3; // No letter of UTF-8: the end of a name.
    }
    return hash | 1;
}

bool registerException(std::string_view rawType, ExceptionEncoder encode)
{
    return encoders().emplace(rawType, encode).second;
}

std::string readableTypeName(const char *rawType)
{
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(rawType, nullptr, nullptr, &status), &std::free);
    return status == 0 && name ? std::string(name.get()) : std::string(rawType);
}

RemoteException describeCurrentException(std::string_view where)
{
    RemoteException described;
    described.where = where;
    if (const std::type_info *type = abi::__cxa_current_exception_type()) {
        described.rawType = withoutNesting(type->name());
        described.type = readableTypeName(described.rawType.c_str());
    }
    try {
        throw;
    } catch (const std::exception &exception) {
        described.message = exception.what();
        addNested(exception, described.nested);
        if (const auto known = encoders().find(described.rawType); known != encoders().end()) {
            try {
                described.value = known->second(exception);
            } catch (...) { // Then it travels by type and message, as others do.
                described.value.clear();
            }
        }
    } catch (...) {
        described.message = "no std::exception";
    }
    return described;
}

} // namespace proclab::runtime
