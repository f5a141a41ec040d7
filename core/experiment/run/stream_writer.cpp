// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/stream_writer.h"

#include <QIODevice>
#include <QJsonArray>
#include <QJsonDocument>

namespace proclab {

namespace {

constexpr qsizetype bufferSize = 64 * 1024;

} // namespace

StreamWriter::StreamWriter(QIODevice &device) : m_device(device)
{
    m_buffer.reserve(bufferSize + 4096);
}

void StreamWriter::add(QByteArrayView text)
{
    m_buffer.append(text);
    if (m_buffer.size() >= bufferSize)
        flush();
}

bool StreamWriter::flush()
{
    m_isGood = m_isGood && m_device.write(m_buffer) == m_buffer.size();
    m_buffer.resize(0);
    return m_isGood;
}

QByteArray jsonText(const QJsonValue &value)
{
    const QByteArray list = QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact);
    return list.mid(1, list.size() - 2);
}

} // namespace proclab
