// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/worker_process.h"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>

#include <unistd.h>

namespace {

/// proclab-scenes beside this program, whatever its name on the command line is.
std::string scenesProgram()
{
    char self[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", self, sizeof self);
    const std::string path(self, size > 0 ? static_cast<std::size_t>(size) : 0);
    return path.substr(0, path.rfind('/') + 1) + "proclab-scenes";
}

} // namespace

int main(int argc, char **argv)
{
    using namespace proclab::runtime;
    WorkerArguments arguments;
    if (!WorkerArguments::parse({argv, static_cast<std::size_t>(argc)}, arguments)) {
        std::fputs("proclab-worker is started by proclab and proclab-cli.\n", stderr);
        return 2;
    }
    // Scenes are written against the library, which needs Qt; pool's workers start twice as fast
    // without. The command line stays, so that both are seen as proclab-worker.
    if (runsRegisteredTasks(arguments)) {
        const std::string program = scenesProgram();
        ::execv(program.c_str(), argv);
        std::fprintf(stderr, "proclab-worker: %s: %s\n", program.c_str(), std::strerror(errno));
        return refusedExitCode;
    }
    return arguments.isZygote ? runZygote(arguments) : runWorker(arguments);
}
