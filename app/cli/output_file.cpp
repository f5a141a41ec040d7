// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/output_file.h"

#include <QFileInfo>
#include <QSaveFile>

#include <cerrno>
#include <cstdio>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

bool isReplaceable(const QString &name)
{
    const QFileInfo info(name);
    return !info.exists() || info.isFile();
}

/// With the errno of what has just failed.
Error writeError(const QString &name)
{
    return osError(name, errno != 0 ? errno : EIO, ErrorText::tr("write"));
}

} // namespace

OutputFile::OutputFile(const QString &name) : m_name(name) {}
OutputFile::~OutputFile() = default;

Result<std::unique_ptr<OutputFile>> OutputFile::open(const QString &name)
{
    std::unique_ptr<OutputFile> file(new OutputFile(name));
    bool isOpen = false;
    errno = 0;
    if (name == u"-"_s) {
        auto device = std::make_unique<QFile>();
        isOpen = device->open(stdout, QIODevice::WriteOnly | QIODevice::Unbuffered);
        file->m_name = ErrorText::tr("standard output");
        file->m_device = std::move(device);
    } else if (isReplaceable(name)) {
        auto device = std::make_unique<QSaveFile>(name);
        isOpen = device->open(QIODevice::WriteOnly);
        file->m_saveFile = device.get();
        file->m_device = std::move(device);
    } else {
        file->m_device = std::make_unique<QFile>(name);
        isOpen = file->m_device->open(QIODevice::WriteOnly | QIODevice::Unbuffered);
    }
    if (!isOpen)
        return writeError(file->m_name);
    return file;
}

Result<void> OutputFile::commit()
{
    const bool isWritten = m_device->error() == QFileDevice::NoError && m_device->flush();
    if (!isWritten && errno == EPIPE)
        return {};
    if (m_saveFile && isWritten) {
        if (m_saveFile->commit())
            return {};
        return writeError(m_name);
    }
    if (!isWritten)
        return writeError(m_name);
    return {};
}

} // namespace proclab::cli
