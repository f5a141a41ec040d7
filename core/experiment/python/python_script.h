// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QString>

namespace proclab {

class ExperimentSpec;

/// The experiment as a Python program (3.9 or later, standard library only), with the same work
/// from the same seed. Its last line of output is a JSON object with `elapsed_s`, `totals` and
/// `outcome` as in our result. It must be run from a file: start methods other than fork read it
/// once more. The sources it is joined from, and their notation, are in resources/python.
///
/// @p spec has no faults. A seed of 0 is taken as it is, none is drawn. InvalidArgument: its kind
/// or a workload has no counterpart in Python.
[[nodiscard]] Result<QString> pythonScript(const ExperimentSpec &spec);

} // namespace proclab
