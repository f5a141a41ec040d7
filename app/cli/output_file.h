// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QFileDevice>

#include <memory>

class QSaveFile;

namespace proclab::cli {

/// A file that a result goes to, opened before the run. What stood there stays until commit(), and
/// for good if nothing is committed; devices and pipes, which can't be replaced, are written to as
/// they are.
class OutputFile
{
public:
    /// Opens @p name; "-" is standard output. OsError if it can't be written.
    static Result<std::unique_ptr<OutputFile>> open(const QString &name);
    ~OutputFile();

    /// Writing must come right before commit(), which takes the cause of a failure from errno.
    [[nodiscard]] QIODevice &device() { return *m_device; }
    /// Puts what was written in its place. OsError, such as a full disk; the reader of a pipe that
    /// has gone away is none.
    Result<void> commit();

private:
    explicit OutputFile(const QString &name);

    QString m_name;
    std::unique_ptr<QFileDevice> m_device;
    QSaveFile *m_saveFile = nullptr; ///< The device, where it is one.
};

} // namespace proclab::cli
