# gyre_migrations(OUTPUT x.cpp FOLDER migrations/sqlite): turns NNNN_name.sql files into
# storage::migrations(). Run again whenever a file is added or edited.
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB files ${FOLDER}/*.sql)
  list(SORT files)
  set(rows "")
  foreach(path IN LISTS files)
    get_filename_component(stem ${path} NAME_WE)
    if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
      message(FATAL_ERROR "migration ${path}: the name must be NNNN_lower_case.sql")
    endif()
    set(number ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    string(REGEX REPLACE "^0+" "" number ${number})
    file(READ ${path} text)
    string(APPEND rows "    Migration{${number}, \"${name}\", R\"gyresql(${text})gyresql\"},\n")
  endforeach()
  file(WRITE ${OUTPUT} "// Made from ${FOLDER} by cmake/gyre_migrations.cmake.\n"
    "#include \"storage/sql/migration.h\"\n\n#include <array>\n\nnamespace gyre::storage {\n\n"
    "std::span<const Migration> migrations() {\n"
    "    static constexpr auto kMigrations = std::to_array<Migration>({\n${rows}    });\n"
    "    return kMigrations;\n}\n\n}  // namespace gyre::storage\n")
  return()
endif()

set(GYRE_MIGRATIONS_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(gyre_migrations)
  cmake_parse_arguments(M "" "OUTPUT;FOLDER" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${M_FOLDER}/*.sql)
  add_custom_command(OUTPUT ${M_OUTPUT}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${M_OUTPUT} -DFOLDER=${M_FOLDER} -P ${GYRE_MIGRATIONS_SCRIPT}
    DEPENDS ${files} ${GYRE_MIGRATIONS_SCRIPT} VERBATIM)
endfunction()
