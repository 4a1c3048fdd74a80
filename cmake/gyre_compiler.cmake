# Warnings, hardening, sanitizers and the compiler cache: everything that every target shares.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()

add_library(gyre_flags INTERFACE)
target_compile_options(gyre_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wconversion
  -Wsign-conversion -Wold-style-cast -Wimplicit-fallthrough -Wdouble-promotion -Wformat=2 -Wundef -Wvla
  -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(gyre_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Precompiled headers that do not depend on time stamps can be cached.
  target_compile_options(gyre_flags INTERFACE -Wunreachable-code-aggressive "SHELL:-Xclang -fno-pch-timestamp")
  add_link_options(-fuse-ld=lld)
endif()
if(GYRE_SANITIZE)
  add_compile_options(-fsanitize=${GYRE_SANITIZE} -fno-sanitize-recover=all)
  add_compile_definitions(GYRE_SANITIZED)
  add_link_options(-fsanitize=${GYRE_SANITIZE})
endif()
