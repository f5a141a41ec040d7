// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/python_command.h"

#include "app/cli/console.h"
#include "app/cli/exit_status.h"
#include "app/cli/spec_argument.h"
#include "core/experiment/python/python_script.h"

using namespace Qt::StringLiterals;

namespace proclab::cli {

int printPython(const CommandLine &line)
{
    QList<Error> faults;
    const auto spec = readSpec(line.operands.first(), line.options.value(u"--set"_s), faults);
    if (!spec) {
        printErrors(faults);
        return BadUsage;
    }
    const Result<QString> script = pythonScript(*spec);
    if (!script) {
        printErrors({script.error()});
        return BadUsage;
    }
    return print(*script) ? AllWentWell : EngineFailed;
}

} // namespace proclab::cli
