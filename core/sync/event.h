// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/objects/sync_bodies.h"
#include "core/sync/shared_handle.h"

namespace proclab {

/// A flag that processes wait for. Like Python's multiprocessing.Event. Unlike there, everyone who
/// waits when it is set gets true, even if it is cleared again at once.
///
/// Threads: any. Blocking: wait().
class Event : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Event;

    /// An event that is not set. OsError.
    static Result<Event> create()
    {
        auto object = make(kind, sizeof(runtime::EventBody));
        if (!object)
            return object.error();
        return of(std::move(*object));
    }
    static Event of(runtime::ObjectRef object) { return Event(std::move(object)); }

    [[nodiscard]] bool isSet() const { return body().isSet(); }
    void set() const { body().set(); }
    void clear() const { body().clear(); }
    /// Whether it was set within @p limit.
    [[nodiscard]] bool wait(TimeLimit limit = std::nullopt) const
    {
        return body().wait(deadlineOf(limit));
    }

private:
    explicit Event(runtime::ObjectRef object) : SharedHandle(std::move(object)) {}
    [[nodiscard]] runtime::EventBody &body() const { return object()->body<runtime::EventBody>(); }
};

} // namespace proclab
