// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QString>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace proclab {

/// Bytes under a name, for programs that are not of one tree; within a tree use Array, Value and
/// SharedBytes, which need no name. Like Python's SharedMemory. Unlike there, neither a process
/// that only attaches nor a helper process removes the bytes.
///
/// The name stays until it is removed. Its owner does that at the latest when its process ends by
/// itself, with a warning on standard error. A generated name whose owner was killed is removed
/// when the next one is made.
///
/// Copies are handles of one mapping. Threads: any; the users agree on who may write when.
/// Errors: OsError (EEXIST: the name is taken; ENOENT: there is none), InvalidArgument.
class SharedMemory
{
public:
    enum class Ownership { Owner, None };

    /// @p size zero bytes (1 or more) under @p name, or a generated one.
    static Result<SharedMemory> create(qint64 size, const QString &name = {});
    /// The same, with names from @p nextName until one is free.
    static Result<SharedMemory> create(qint64 size, const std::function<QString()> &nextName);
    /// Memory that another process has made; it keeps its size.
    static Result<SharedMemory> attach(const QString &name, Ownership ownership = Ownership::None);
    /// Removes the name; whoever is attached keeps the bytes.
    static Result<void> remove(const QString &name);

    [[nodiscard]] QString name() const;
    /// Whole pages, at least the size that was asked for.
    [[nodiscard]] std::span<std::byte> bytes() const;

private:
    struct Mapping;

    explicit SharedMemory(std::shared_ptr<Mapping> mapping) : m_mapping(std::move(mapping)) {}
    static Result<SharedMemory> map(int descriptor, const QString &name);

    std::shared_ptr<Mapping> m_mapping;
};

} // namespace proclab
