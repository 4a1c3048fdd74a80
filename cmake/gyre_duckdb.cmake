# DuckDB: the header comes from npm's `duckdb`, the library (opened at first use, never linked) from
# `@duckdb/node-bindings-linux-x64`; tools/deps/npm pins both.
set(GYRE_DUCKDB_DIR ${PROJECT_SOURCE_DIR}/build/npm CACHE PATH "Folder that holds node_modules with DuckDB's header and library")
set(GYRE_DUCKDB_INCLUDE_DIR ${GYRE_DUCKDB_DIR}/node_modules/duckdb/src/duckdb/src/include)
set(GYRE_DUCKDB_LIBRARY_FILE ${GYRE_DUCKDB_DIR}/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so)
if(NOT EXISTS ${GYRE_DUCKDB_INCLUDE_DIR}/duckdb.h)
  message(FATAL_ERROR "DuckDB's header is missing (${GYRE_DUCKDB_INCLUDE_DIR}/duckdb.h): run './dev build', "
          "which installs tools/deps/npm into build/npm, or point -DGYRE_DUCKDB_DIR at a folder that has it")
endif()
if(NOT EXISTS ${GYRE_DUCKDB_LIBRARY_FILE})
  message(WARNING "DuckDB's library is missing (${GYRE_DUCKDB_LIBRARY_FILE}): SQL over files will not work until "
          "'./dev build' installs it or GYRE_DUCKDB_LIBRARY names a libduckdb.so 1.4")
endif()
add_library(gyre_duckdb_header INTERFACE)
target_include_directories(gyre_duckdb_header SYSTEM INTERFACE ${GYRE_DUCKDB_INCLUDE_DIR})
