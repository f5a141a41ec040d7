// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/run_tables.h"

namespace proclab {

QString EventsModel::headTitle(int section)
{
    switch (section) {
    case EventTime:
        return tr("Time, s");
    case EventProcess:
        return tr("Process");
    case EventText:
        return tr("What happened");
    default:
        return {};
    }
}

QString EventsModel::headTip(int section)
{
    switch (section) {
    case EventTime:
        return tr("Seconds since the start of the run");
    case EventProcess:
        return tr("The process that it happened to");
    case EventText:
        return tr("Starts, ends and faults, as they come");
    default:
        return {};
    }
}

QString ResultsModel::headTitle(int section) const
{
    switch (section) {
    case ResultIndex:
        return tr("Index");
    case ResultWorker:
        return isOfTasks() ? tr("Worker") : tr("Process");
    case ResultPid:
        return tr("PID");
    case ResultValue:
        return isOfTasks() ? tr("Value") : tr("Done");
    case ResultError:
        return tr("Error");
    case ResultSubmitted:
        return tr("Submitted, s");
    case ResultStarted:
        return tr("Started, s");
    case ResultFinished:
        return tr("Finished, s");
    default:
        return {};
    }
}

QString ResultsModel::headTip(int section) const
{
    switch (section) {
    case ResultIndex:
        return isOfTasks() ? tr("Number of the task, in the order of submission")
                            : tr("Number of the process, in the order of starts");
    case ResultWorker:
        return isOfTasks() ? tr("The worker that had the task last") : tr("Name of the process");
    case ResultPid:
        return tr("Process number that the kernel gave it");
    case ResultValue:
        return isOfTasks() ? tr("What the task returned") : tr("How much of its work it did");
    case ResultError:
        return tr("Why there is no value; empty: it went well");
    case ResultSubmitted:
        return tr("When it was handed over, in seconds since the start of the run");
    case ResultStarted:
        return tr("When it began, in seconds since the start of the run");
    case ResultFinished:
        return tr("When it was done, in seconds since the start of the run");
    default:
        return {};
    }
}

} // namespace proclab
