# SPDX-License-Identifier: GPL-3.0-or-later

# cmake -D BUILD=… -D SOURCE=… -D WORK=… -D OPTIONS=… -P check.cmake
# Installs BUILD into a fresh folder, moves that, and has projects that know nothing but this folder
# build and run: the one beside this file, and the example of the README. WORK stays if it fails.

# Runs a command, and gives what it printed in `printed`.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE errors)
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}\nended with ${status}:\n${printed}${errors}")
    endif()
    set(printed "${printed}" PARENT_SCOPE)
endfunction()

# Builds the project in `source` against the installed library alone.
function(build source folder)
    run(${CMAKE_COMMAND} -G Ninja -S ${source} -B ${folder} -D CMAKE_PREFIX_PATH=${prefix} ${OPTIONS})
    file(STRINGS ${folder}/CMakeCache.txt found REGEX "^ProcLab_DIR:")
    string(FIND "${found}" "=${prefix}/" position)
    if(position EQUAL -1)
        message(FATAL_ERROR "another ProcLab was found: ${found}")
    endif()
    run(${CMAKE_COMMAND} --build ${folder} --parallel 2)
endfunction()

function(expect text)
    if(NOT printed STREQUAL text)
        message(FATAL_ERROR "expected:\n${text}\nprinted:\n${printed}")
    endif()
endfunction()

# Writes the README's example in `language` to a file.
function(write_example language file)
    file(READ ${SOURCE}/README.md readme)
    string(REGEX MATCH "\n## Using the library.*" readme "${readme}")
    string(REGEX MATCH "```${language}\n([^`]+)```" block "${readme}")
    if(NOT block)
        message(FATAL_ERROR "README.md has no example in ${language}")
    endif()
    file(WRITE ${file} "${CMAKE_MATCH_1}")
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
set(prefix ${WORK}/moved)
file(RENAME ${WORK}/first ${prefix})

# Nothing that is installed as text knows where it was built or put first.
file(GLOB_RECURSE texts ${prefix}/*.cmake ${prefix}/*.h ${prefix}/*.desktop)
foreach(text IN LISTS texts)
    file(READ ${text} content)
    foreach(folder IN ITEMS ${SOURCE} ${BUILD} ${WORK})
        string(FIND "${content}" "${folder}" position)
        if(NOT position EQUAL -1)
            message(FATAL_ERROR "${text} names ${folder}")
        endif()
    endforeach()
endforeach()

# The lab finds its worker program.
run(${prefix}/bin/proclab-cli run counter-atomic)

build(${SOURCE}/tests/consumer ${WORK}/consumer)
run(${WORK}/consumer/consumer)
expect("version: ${VERSION}
pool: the squares of 1 to 100 sum to 338350
executor: hello Ada, nobody to greet
queue: pear 1, pear 2, pear 3, pear 4
lock: two processes counted to 2000
")

write_example(cmake ${WORK}/example/CMakeLists.txt)
write_example(cpp ${WORK}/example/main.cpp)
build(${WORK}/example ${WORK}/example/build)
run(${WORK}/example/build/squares)
expect("1\n4\n9\n16\n25\n")

file(REMOVE_RECURSE ${WORK})
