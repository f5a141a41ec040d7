// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/worker_main.h"

#include <cstdio>

int main(int argc, char **argv)
{
    // What processes of experiments run has registered itself: all of the lab is linked.
    if (const auto code = proclab::workerMain(argc, argv))
        return *code;
    std::fputs("proclab-scenes is started by proclab-worker.\n", stderr);
    return 2;
}
