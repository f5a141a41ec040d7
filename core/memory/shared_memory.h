// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QString>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace proclab {

/// Bytes under a name, for programs that are not of one tree, as Python's SharedMemory; within a
/// tree Array, Value and SharedBytes need no name. What Python's does not keep: who only attaches
/// never removes them, nor does any helper.
///
/// The name stays until it is removed. Who is its owner does that at the latest when its process
/// ends by itself, with a warning on standard error; generated names whose owner was killed go when
/// the next one is made.
///
/// Copies are handles of one mapping. Threads: any; who may write the bytes when is up to them.
/// Errors: OsError (EEXIST: the name is taken; ENOENT: there is none), InvalidArgument.
class SharedMemory
{
public:
    enum class Ownership { Owner, None };

    /// @p size zero bytes (1 or more) under @p name, or a generated one.
    static Result<SharedMemory> create(qint64 size, const QString &name = {});
    /// The same with names from @p nextName, until one is free.
    static Result<SharedMemory> create(qint64 size, const std::function<QString()> &nextName);
    /// What another has made, with the size that it has.
    static Result<SharedMemory> attach(const QString &name, Ownership ownership = Ownership::None);
    /// Takes the name away; who is attached keeps the bytes.
    static Result<void> remove(const QString &name);

    [[nodiscard]] QString name() const;
    /// Whole pages: the asked size at least.
    [[nodiscard]] std::span<std::byte> bytes() const;

private:
    struct Mapping;

    explicit SharedMemory(std::shared_ptr<Mapping> mapping) : m_mapping(std::move(mapping)) {}
    static Result<SharedMemory> map(int descriptor, const QString &name);

    std::shared_ptr<Mapping> m_mapping;
};

} // namespace proclab
