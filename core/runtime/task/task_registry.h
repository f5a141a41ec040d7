// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/payload/codec.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace proclab::runtime {

class SharedObject;

/// Where a task puts its encoded result, and what the handles in it are of.
struct TaskResult
{
    PayloadWriter bytes;
    std::vector<std::shared_ptr<SharedObject>> &objects;
};

/// Results that all have at most so many bytes may travel side by side.
constexpr std::size_t packedResultRoom = 32;

/// Takes a task's encoded arguments apart, does the work and puts its result into @p result; throws
/// to fail.
using TaskBody = void (*)(std::span<const std::byte> arguments, TaskResult &result);

/// A task of the program's own, which its workers, being the same program, know by the same number.
struct RegisteredTask
{
    enum class Use : std::uint8_t { Call, Target };

    std::string_view name; ///< As the compiler spells the function, or the type of a target.
    Use use = Use::Call;   ///< One function may be both.
    TaskBody run = nullptr;
};

/// Registers a task before main() begins; returns a ticket for taskNumber(). What main() would
/// register its workers would not have.
std::uint32_t registerTask(const RegisteredTask &task);
/// The number of a task that was registered, from 0: its position in registeredTasks().
[[nodiscard]] std::uint32_t taskNumber(std::uint32_t ticket);
/// Sorted by name and use, so that programs with the same tasks agree, in whatever order they were
/// linked.
[[nodiscard]] std::span<const RegisteredTask> registeredTasks();
/// Changes with the list of tasks; never 0. A worker with another one has other tasks.
[[nodiscard]] std::uint64_t registeredTasksHash();

/// TaskDescriptor::workload of registered task 0; the numbers below are those of workloads.
constexpr std::uint32_t firstRegisteredTask = 1U << 31;
/// No task's number.
constexpr std::uint32_t noTask = ~std::uint32_t{0};

/// What a task threw, and where.
struct RemoteException
{
    std::string type;                ///< As people read it: "std::runtime_error".
    std::string rawType;             ///< As the compiler mangles it, the same in all of a build.
    std::string message;             ///< what()
    std::vector<std::string> nested; ///< "type: what()" of each exception inside, outermost first.
    std::string where;               ///< The task's name.
    std::vector<std::byte> value;    ///< By the type's encoder, if it has one; else empty.

    static constexpr std::size_t maxNested = 8;
};

/// "std::runtime_error" of the mangled name.
[[nodiscard]] std::string readableTypeName(const char *rawType);
/// What is being handled, in a catch block.
[[nodiscard]] RemoteException describeCurrentException(std::string_view where);

/// Encodes an exception of one registered type.
using ExceptionEncoder = std::vector<std::byte> (*)(const std::exception &);
/// Registers, before main() begins, how exceptions of the mangled type @p rawType travel as
/// themselves.
bool registerException(std::string_view rawType, ExceptionEncoder encode);

} // namespace proclab::runtime

template<>
struct proclab::Codec<proclab::runtime::RemoteException>
{
    static void encode(PayloadWriter &writer, const runtime::RemoteException &value);
    static runtime::RemoteException decode(PayloadReader &reader);
};
