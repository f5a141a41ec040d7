// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QJsonValue>

class QIODevice;

namespace proclab {

/// Writes a text piece by piece, however long it is: collects small pieces and hands them to the
/// device in large ones.
class StreamWriter
{
public:
    explicit StreamWriter(QIODevice &device);

    void add(QByteArrayView text);
    /// Hands over what is left. False if the device has failed, now or before.
    bool flush();
    [[nodiscard]] bool isGood() const { return m_isGood; }

private:
    QIODevice &m_device;
    QByteArray m_buffer;
    bool m_isGood = true;
};

/// @p value on one line.
[[nodiscard]] QByteArray jsonText(const QJsonValue &value);

} // namespace proclab
