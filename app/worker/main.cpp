// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/worker_process.h"

#include <cstdio>

int main(int argc, char **argv)
{
    int exitCode = 2;
    if (!proclab::runtime::becomeWorker(argc, argv, exitCode))
        std::fputs("proclab-worker: started by ProcLab only, for its own workloads\n", stderr);
    return exitCode;
}
