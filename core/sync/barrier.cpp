// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sync/barrier.h"

namespace proclab {

using runtime::BarrierBody;

Result<Barrier> Barrier::create(int parties)
{
    constexpr int most = BarrierBody::maxParties;
    if (parties < 1 || parties > most)
        return invalidArgument(QStringLiteral("parties"), QString::number(parties),
                               ErrorText::tr("%1 to %2").arg(1).arg(most));
    auto object = make(kind, sizeof(BarrierBody));
    if (!object)
        return object.error();
    (*object)->body<BarrierBody>().parties = static_cast<std::uint32_t>(parties);
    return of(std::move(*object));
}

Result<int> Barrier::wait(TimeLimit limit, const std::function<void()> &action) const
{
    BarrierBody::Arrival arrival;
    switch (body().wait(space(), deadlineOf(limit), arrival)) {
    case BarrierBody::Passing::Passed:
        return static_cast<int>(arrival.position);
    case BarrierBody::Passing::Broken:
        return Error{ErrorCode::BrokenBarrier};
    case BarrierBody::Passing::TimedOut:
        return Error{ErrorCode::Timeout};
    case BarrierBody::Passing::Last:
        break;
    }
    bool isDone = true;
    try {
        if (action)
            action();
    } catch (...) {
        isDone = false;
    }
    if (!body().endRound(space(), arrival, isDone))
        return Error{ErrorCode::BrokenBarrier};
    return static_cast<int>(arrival.position);
}

} // namespace proclab
