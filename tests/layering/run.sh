#!/usr/bin/env bash
# A wrong layer edge stops the configuration with a sentence; a wrong #include and a vendor's header fail the check.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export CMAKE_GENERATOR=Ninja CXX=clang++-19  # what ./dev installs; a bare machine has no make and no c++
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src/low" "$work/src/high"
cat > "$work/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(layering CXX)
find_package(Threads REQUIRED)
add_library(gyre_flags INTERFACE)
include($root/cmake/gyre_module.cmake)
add_subdirectory(src/low)
add_subdirectory(src/high)
CMAKE
touch "$work/src/low/a.cpp" "$work/src/high/b.cpp"
echo 'gyre_module(NAME low LAYER 1 SOURCES a.cpp)' > "$work/src/low/CMakeLists.txt"

expect_failure() {  # expect_failure TEXT COMMAND...
    local text=$1 output; shift
    if output=$("$@" 2>&1); then echo "should have failed: $*"; exit 1; fi
    output=$(echo "$output" | tr -s ' \n' ' ')
    case "$output" in *"$text"*) ;; *) echo "no '$text' in: $output"; exit 1 ;; esac
}

echo 'gyre_module(NAME high LAYER 1 SOURCES b.cpp DEPS low)' > "$work/src/high/CMakeLists.txt"
expect_failure "layering: high (layer 1) must not depend on low (layer 1)" cmake -S "$work" -B "$work/build"
echo 'gyre_module(NAME high LAYER 2 SOURCES b.cpp DEPS lo)' > "$work/src/high/CMakeLists.txt"
expect_failure "high depends on lo, which is not declared yet" cmake -S "$work" -B "$work/build"
echo 'gyre_module(NAME high LAYER 2 SOURCES b.cpp DEPS low)' > "$work/src/high/CMakeLists.txt"
cmake -S "$work" -B "$work/build" >/dev/null

check="$root/tools/check_includes.py"
python3 "$check" "$work" >/dev/null
echo '#include "high/b.h"' > "$work/src/low/a.cpp"
expect_failure "low may not include high/" python3 "$check" "$work"
echo '#include <sqlite3.h>' > "$work/src/low/a.cpp"
expect_failure "a vendor's header outside an adapter" python3 "$check" "$work"
printf '// Adapter: SQLite.\n#include <sqlite3.h>\n' > "$work/src/low/a.cpp"
python3 "$check" "$work" >/dev/null
echo "layering: wrong edges and wrong includes are refused"
