// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/experiment_run.h"

#include <QBuffer>
#include <QByteArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

namespace proclab::test {

constexpr int patience = 60'000;

/// Starts @p run and waits for its end; false: it did not start, or did not end in time.
inline bool runToEnd(ExperimentRun &run)
{
    QSignalSpy ended(&run, &ExperimentRun::ended);
    return run.start() && (!ended.isEmpty() || ended.wait(patience));
}

/// The result as `--json` writes it.
inline QJsonObject resultJson(const RunResult &result)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    if (!writeResultJson(result, buffer))
        return {};
    return QJsonDocument::fromJson(buffer.data()).object();
}

[[nodiscard]] inline bool addsUp(const RunTotals &totals)
{
    return totals.tasks == totals.done + totals.failed + totals.cancelled + totals.lost;
}

/// Draws what a test leaves to chance. Its seed is printed; PROCLAB_TEST_SEED=… draws the same
/// again.
inline QRandomGenerator drawnGenerator()
{
    bool isGiven = false;
    const uint given = qEnvironmentVariable("PROCLAB_TEST_SEED").toUInt(&isGiven);
    const quint32 seed = isGiven ? given : QRandomGenerator::global()->generate();
    qInfo("PROCLAB_TEST_SEED=%u", seed);
    return QRandomGenerator(seed);
}

} // namespace proclab::test
