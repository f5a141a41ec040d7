// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/task_registry.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <numeric>
#include <typeinfo>
#include <utility>

#include <cxxabi.h>

namespace proclab::runtime {

namespace {

// Functions, since they are filled while other static objects are made.
std::vector<RegisteredTask> &registrations()
{
    static std::vector<RegisteredTask> list;
    return list;
}

/// All tasks in their order, and the place there of each registration.
struct TaskOrder
{
    std::vector<RegisteredTask> tasks;
    std::vector<std::uint32_t> numbers;

    TaskOrder()
    {
        const std::vector<RegisteredTask> &all = registrations();
        std::vector<std::uint32_t> tickets(all.size());
        std::iota(tickets.begin(), tickets.end(), 0U);
        std::ranges::stable_sort(tickets, {}, [&all](std::uint32_t ticket) {
            return std::pair(all[ticket].name, all[ticket].use);
        });
        numbers.resize(all.size());
        for (const std::uint32_t ticket : tickets) {
            numbers[ticket] = static_cast<std::uint32_t>(tasks.size());
            tasks.push_back(all[ticket]);
        }
    }
};

/// Made when all are registered: at the first use in main().
const TaskOrder &taskOrder()
{
    static const TaskOrder order;
    return order;
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

std::uint32_t registerTask(const RegisteredTask &task)
{
    registrations().push_back(task);
    return static_cast<std::uint32_t>(registrations().size() - 1);
}

std::uint32_t taskNumber(std::uint32_t ticket)
{
    return taskOrder().numbers[ticket];
}

std::span<const RegisteredTask> registeredTasks()
{
    return taskOrder().tasks;
}

std::uint64_t registeredTasksHash()
{
    std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a, 64 bits
    for (const RegisteredTask &task : registeredTasks()) {
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

namespace proclab {

namespace {

using ExceptionParts = std::tuple<std::string, std::string, std::string, std::vector<std::string>,
                                  std::string, std::vector<std::byte>>;

} // namespace

void Codec<runtime::RemoteException>::encode(PayloadWriter &writer,
                                             const runtime::RemoteException &value)
{
    Codec<ExceptionParts>::encode(
        writer, {value.type, value.rawType, value.message, value.nested, value.where, value.value});
}

runtime::RemoteException Codec<runtime::RemoteException>::decode(PayloadReader &reader)
{
    auto [type, rawType, message, nested, where, value] = Codec<ExceptionParts>::decode(reader);
    return {std::move(type),   std::move(rawType), std::move(message),
            std::move(nested), std::move(where),   std::move(value)};
}

} // namespace proclab
