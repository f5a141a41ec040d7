// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace proclab {

/// Keeps account of a range of bytes that is handed out in pieces. Takes the smallest free piece
/// that is long enough (best fit), and joins a piece that comes back with its free neighbours.
///
/// Threads: one at a time.
class ExtentAllocator
{
public:
    /// For the bytes from @p begin up to, without, @p end.
    ExtentAllocator(quint64 begin, quint64 end)
    {
        if (begin < end)
            insert(begin, end - begin);
    }

    /// The offset of @p size bytes, a multiple of 64; nothing if no free piece is long enough.
    std::optional<quint64> allocate(quint64 size)
    {
        const quint64 rounded = (size + granularity - 1) / granularity * granularity;
        const auto found = m_bySize.lower_bound({rounded, 0});
        if (found == m_bySize.end())
            return std::nullopt;
        const auto [length, offset] = *found;
        erase(m_free.find(offset));
        if (length > rounded)
            insert(offset + rounded, length - rounded);
        m_used.emplace(offset, rounded);
        m_usedBytes += rounded;
        return offset;
    }
    /// Takes back what allocate() gave; returns its length.
    quint64 giveBack(quint64 offset)
    {
        const auto used = m_used.find(offset);
        Q_ASSERT(used != m_used.end());
        const quint64 length = used->second;
        m_used.erase(used);
        m_usedBytes -= length;
        quint64 begin = offset;
        quint64 end = offset + length;
        if (const auto next = m_free.find(end); next != m_free.end()) {
            end += next->second;
            erase(next);
        }
        if (auto before = m_free.lower_bound(begin); before != m_free.begin()) {
            --before;
            if (before->first + before->second == begin) {
                begin = before->first;
                erase(before);
            }
        }
        insert(begin, end - begin);
        return length;
    }
    [[nodiscard]] bool isUnused() const { return m_used.empty(); }
    [[nodiscard]] quint64 usedBytes() const { return m_usedBytes; }

private:
    using Pieces = std::map<quint64, quint64>; // Length by offset.
    static constexpr quint64 granularity = 64;

    void insert(quint64 offset, quint64 length)
    {
        m_free.emplace(offset, length);
        m_bySize.emplace(length, offset);
    }
    void erase(Pieces::iterator piece)
    {
        m_bySize.erase({piece->second, piece->first});
        m_free.erase(piece);
    }

    Pieces m_free;
    Pieces m_used;
    quint64 m_usedBytes = 0;
    std::set<std::pair<quint64, quint64>> m_bySize; // Length and offset of the free ones.
};

} // namespace proclab
