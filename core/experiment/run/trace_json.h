// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QIODevice;

namespace proclab {

struct RunResult;

/// Writes what happened in a run for the viewers of Perfetto and Chrome, an event a line: the JSON
/// Object Format of the Trace Event Format,
/// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
/// Timestamps are microseconds since the run began; `otherData.gate_us` says when the gate opened,
/// null: it never did.
///
/// - `M`: the name of each process, and of its only thread, which has the same number. Where the
///   kernel gave a PID again, the later process has a number above all PIDs.
/// - `X`: what a process did, of the category `running`, `ready`, `sleeping`, `summary` (several
///   short ones), `wait`, `failed` or `dropped`. `args.index` is the first task or item,
///   `args.count` how many the bar stands for: 0, if an earlier one counts it, after which it had
///   to wait. Bars of one process never overlap.
/// - `C`: of each process what it used of a core, in percent, and its memory; of the first one, the
///   parent, the gauges of the kind. A rate stands where the time begins that it is the mean of.
/// - `i`: the events of the run, and the start and the end of each process.
///
/// One record at a time, as writeResultJson(). False: the device failed, see its errorString().
/// Blocking; use it from any thread once the run has ended.
bool writeTraceJson(const RunResult &result, QIODevice &device);

} // namespace proclab
