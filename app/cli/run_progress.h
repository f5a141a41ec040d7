// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/rate_meter.h"

#include <QByteArray>
#include <QList>
#include <QObject>
#include <QTimer>

namespace proclab::cli {

/// Shows on standard error how a run goes on: drawn anew eight times a second on a terminal, else a
/// plain line each second. What was drawn is taken away at its end.
class RunProgress final : public QObject
{
    Q_OBJECT

public:
    enum class Mode { None, Lines, Live };

    /// @p run must outlive the progress.
    RunProgress(const ExperimentRun &run, Mode mode);
    ~RunProgress() override;

private:
    void show();
    void draw(const StageSnapshot &snapshot);
    void erase();
    [[nodiscard]] double rate(const StageSnapshot &snapshot);
    [[nodiscard]] QString headLine(const StageSnapshot &snapshot, double rate, int columns) const;
    [[nodiscard]] QStringList processLines(const StageSnapshot &snapshot, int most) const;
    [[nodiscard]] QString plainLine(const StageSnapshot &snapshot, double rate) const;

    const ExperimentRun &m_run;
    const Mode m_mode;
    QTimer m_timer;
    int m_drawnLines = 0;
    RateMeter m_rate;
};

} // namespace proclab::cli
