// SPDX-License-Identifier: GPL-3.0-or-later
// A program that forgot what main() must begin with, and starts a process whenever it runs.
#include "core/process/process.h"

#include <QCoreApplication>

static void doNothing() {}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const auto child =
        proclab::Process::create<doNothing>({.startMethod = proclab::StartMethod::Spawn});
    if (!child || !child->start() || !child->join(std::chrono::seconds(60)))
        return 99;
    return child->exitCode()->value();
}
