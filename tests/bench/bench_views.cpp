// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/roles.h"
#include "ui/charts/line_chart.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QPixmap>

#include <cstdio>

using namespace proclab;
using namespace Qt::StringLiterals;
// Prints what a frame of the timeline and of the charts costs.
namespace {

constexpr qint64 second = 1'000'000'000;
constexpr int rounds = 20;
template<typename Draw>
void measure(const char *name, Draw draw)
{
    draw(); // Fills the caches.
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < rounds; ++i)
        draw();
    std::printf("%-58s %7.2f ms\n", name, static_cast<double>(timer.nsecsElapsed()) / 1e6 / rounds);
}

std::shared_ptr<RunLog> makeRun(int workers, int tasksEach, int samples)
{
    auto log = std::make_shared<RunLog>();
    log->addProcess({.name = u"main"_s, .colorIndex = -1});
    const qint64 wholeNs = samples * second / 20;
    for (int i = 1; i <= workers; ++i) {
        log->addProcess({.name = u"worker-%1"_s.arg(i),
                         .role = test::worker(),
                         .pid = 1'000 + i,
                         .colorIndex = i - 1});
        RunLog::Lane &lane = log->lane(i);
        const qint64 step = tasksEach > 0 ? wholeNs / tasksEach : 0;
        for (int k = 0; k < tasksEach; ++k)
            lane.spans.append({k * step, k * step + step * (3 + k % 6) / 10,
                               static_cast<quint32>(k), 1,
                               k % 3 == 0 ? Span::Activity::Sleeping : Span::Activity::Running, 1});
        for (int k = 1; k <= samples; ++k)
            lane.samples.append({k * second / 20, static_cast<float>((k * 7 + i * 13) % 100), 0,
                                 static_cast<quint64>(3'000'000 + k)});
    }
    for (int k = 0; k <= samples; ++k) {
        GaugeSample gauge;
        gauge.timeNs = k * second / 20;
        gauge.values = {static_cast<double>(k % 211), static_cast<double>(k % 17)};
        gauge.totals = {static_cast<double>(k), 0};
        log->gauges.append(gauge);
    }
    return log;
}

StageSnapshotPointer snapshotOf(const RunLog &log, qint64 timeNs)
{
    auto snapshot = std::make_shared<StageSnapshot>();
    snapshot->timeNs = timeNs;
    for (int i = 0; i < log.processCount(); ++i)
        snapshot->processes.append(ProcessLive{.process = i, .state = ProcessState::Running});
    return snapshot;
}

void measureTimeline()
{
    const auto log = makeRun(16, 100'000 / 16, 200);
    TimelineView view;
    view.resize(1240, 16 * 28 + 80);
    view.setRun(log);
    view.setSnapshot(snapshotOf(*log, 10 * second));
    QPixmap frame(view.size());
    measure("timeline, 16 workers, 100,000 tasks: all of it", [&] { view.render(&frame); });
    for (const char *name : {"timeline, zoomed in 43 times", "timeline, zoomed in 1,800 times"}) {
        for (int i = 0; i < 8; ++i)
            view.zoomIn();
        measure(name, [&] { view.render(&frame); });
    }
}

void measureCharts(int workers, const char *name)
{
    const int samples = 20 * 600;
    const auto log = makeRun(workers, 0, samples);
    ChartColumn column;
    column.resize(304, 560);
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.show();
    column.advance(samples * second / 20);
    measure(name, [&column] {
        for (LineChart *chart : column.charts())
            chart->drawNow();
    });
}

} // namespace

int main(int argc, char **argv)
{
    QApplication application(argc, argv);
    Theme::apply(application, Theme::Mode::Dark);
    measureTimeline();
    measureCharts(12, "charts, 12 series, 10 minutes at 20 Hz: all drawn");
    measureCharts(64, "charts, 64 processes in bands: all drawn");
    LineChart chart;
    chart.resize(304, 140);
    chart.setTimeRange(600);
    for (int i = 0; i < 64; ++i)
        chart.addSeries({}, Theme::current().process(i));
    for (int k = 0; k < 12'000; ++k) {
        for (int i = 0; i < 64; ++i)
            chart.append(i, k / 20.0, (k * 7 + i * 13) % 100);
    }
    chart.show();
    measure("one chart of 64 lines, 10 minutes at 20 Hz", [&chart] { chart.drawNow(); });
    return 0;
}
