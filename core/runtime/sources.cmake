# SPDX-License-Identifier: GPL-3.0-or-later

# Writes OUTPUT, a header with one hash of all FILES: programs that were built from other sources do
# not share memory.
set(all "")
foreach(file IN LISTS FILES)
    file(SHA256 ${file} hash)
    string(APPEND all ${hash})
endforeach()
string(SHA256 all "${all}")
file(WRITE ${OUTPUT} "#define PROCLAB_RUNTIME_SOURCES \"${all}\"\n")
