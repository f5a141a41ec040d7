// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/program/text.h"

#include <QString>

namespace proclab {

/// What a program wrote to one of its streams, as text: its begin is kept, the rest is counted.
class KeptOutput
{
public:
    KeptOutput(const TextFormat &format, qint64 mostBytes)
        : m_decoder(format)
        , m_mostBytes(mostBytes)
    {}

    /// Takes what came next; returns what is new of the kept text.
    QString take(QByteArrayView bytes);
    /// The same, of what was not complete at the end.
    QString finish();

    [[nodiscard]] qint64 bytes() const { return m_bytes; } ///< All that came.
    [[nodiscard]] qint64 droppedBytes() const { return m_bytes - m_keptBytes; }
    [[nodiscard]] const QString &text() const { return m_text; }

private:
    TextDecoder m_decoder;
    const qint64 m_mostBytes;
    qint64 m_bytes = 0;
    qint64 m_keptBytes = 0;
    QString m_text;
};

/// Writes pieces of output into a log. What one stream brings within some milliseconds becomes one
/// piece, so that a program that writes single bytes does not cost more than its text.
class OutputWriter
{
public:
    static constexpr qint64 joinNs = 20'000'000;

    explicit OutputWriter(RunLog &log) : m_log(log) {}

    void add(const OutputPiece &piece);
    /// Writes what was added at @p untilNs or before.
    void flush(qint64 untilNs);
    [[nodiscard]] bool isEmpty() const { return m_piece.text.isEmpty(); }

private:
    RunLog &m_log;
    OutputPiece m_piece; ///< Not written yet, if it has a text.
};

} // namespace proclab
