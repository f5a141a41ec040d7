// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QList>
#include <QMetaType>

#include <optional>

namespace proclab {

/// How busy a core is.
struct CoreLoad
{
    int core = 0;                  ///< The kernel's number: N of "cpuN".
    std::optional<double> percent; ///< Not known without two readings that differ.

    bool operator==(const CoreLoad &) const = default;
};

/// How busy the machine is: each core, and memory.
struct MachineLoad
{
    QList<CoreLoad> cores;       ///< Those that are on line, in the kernel's order.
    quint64 memoryBytes = 0;     ///< 0: not known.
    quint64 memoryUsedBytes = 0; ///< The total without what is available without swapping.
};

/// Ticks of one core since it started, from a "cpuN" line of /proc/stat.
struct CoreTicks
{
    int core = 0;
    quint64 busy = 0;
    quint64 total = 0;

    bool operator==(const CoreTicks &) const = default;
};

/// The cores in the text of /proc/stat; skips lines other than "cpuN".
[[nodiscard]] QList<CoreTicks> parseCoreTicks(const QByteArray &stat);
/// Fills the memory of @p load from the text of /proc/meminfo.
void parseMemory(const QByteArray &memoryInfo, MachineLoad &load);

/// Reads the load between two calls of sample().
///
/// Threads: use one from one thread. Blocking: reads two files of /proc.
class MachineLoadSource
{
public:
    /// @p folder holds `stat` and `meminfo`.
    explicit MachineLoadSource(const QByteArray &folder = QByteArrayLiteral("/proc"))
        : m_folder(folder)
    {}

    [[nodiscard]] MachineLoad sample();

private:
    QByteArray m_folder;
    QList<CoreTicks> m_last;
};

} // namespace proclab

Q_DECLARE_METATYPE(proclab::MachineLoad)
