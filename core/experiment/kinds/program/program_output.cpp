// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_output.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace proclab {

QString KeptOutput::take(QByteArrayView bytes)
{
    m_bytes += bytes.size();
    const qint64 room = std::min<qint64>(bytes.size(), m_mostBytes - m_keptBytes);
    if (room <= 0)
        return {};
    m_keptBytes += room;
    QString text = m_decoder.feed(bytes.first(room));
    if (m_keptBytes == m_mostBytes)
        text += m_decoder.finish();
    m_text += text;
    return text;
}

QString KeptOutput::finish()
{
    const QString text = m_decoder.finish();
    m_text += text;
    return text;
}

void OutputWriter::add(const OutputPiece &piece)
{
    if (piece.text.isEmpty())
        return;
    const bool isSame = piece.process == m_piece.process && piece.stream == m_piece.stream &&
                        piece.timeNs - m_piece.timeNs < joinNs;
    if (!isEmpty() && isSame) {
        m_piece.text += piece.text;
        return;
    }
    flush(std::numeric_limits<qint64>::max());
    m_piece = piece;
}

void OutputWriter::flush(qint64 untilNs)
{
    if (!isEmpty() && m_piece.timeNs <= untilNs)
        m_log.output.append(std::exchange(m_piece, {}));
}

} // namespace proclab
