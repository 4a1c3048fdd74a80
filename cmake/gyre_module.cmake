# gyre_module(NAME tracking LAYER 4 SOURCES a.cpp DEPS base storage [EXTERNAL lib] [TESTS a_test.cpp])
#
# One static library per folder. A module may use only modules of strictly lower layers, and only those
# that it names; a wrong edge stops configuration with a sentence. TESTS become one test program,
# gyre_<name>_test, labelled "fast".
find_package(GTest QUIET)

function(gyre_check_edge module layer dep)
  get_property(dep_layer GLOBAL PROPERTY GYRE_LAYER_${dep})
  if("${dep_layer}" STREQUAL "")
    message(FATAL_ERROR "layering: ${module} depends on ${dep}, which is not declared yet (a cycle or a typo)")
  elseif(NOT dep_layer LESS layer)
    message(FATAL_ERROR "layering: ${module} (layer ${layer}) must not depend on ${dep} (layer ${dep_layer}); "
                        "a module uses strictly lower layers only, see ARCHITECTURE.md")
  endif()
endfunction()

function(gyre_module)
  cmake_parse_arguments(M "" "NAME;LAYER" "SOURCES;DEPS;EXTERNAL;TESTS" ${ARGN})
  if(M_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "gyre_module ${M_NAME}: unknown arguments ${M_UNPARSED_ARGUMENTS}")
  endif()
  foreach(dep IN LISTS M_DEPS)
    gyre_check_edge(${M_NAME} ${M_LAYER} ${dep})
  endforeach()
  set_property(GLOBAL PROPERTY GYRE_LAYER_${M_NAME} ${M_LAYER})

  set(target gyre_${M_NAME})
  add_library(${target} STATIC ${M_SOURCES})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM M_DEPS PREPEND gyre_ OUTPUT_VARIABLE dep_targets)
  target_link_libraries(${target} PUBLIC ${dep_targets} PRIVATE gyre_flags ${M_EXTERNAL})
  target_link_libraries(${target} PUBLIC Threads::Threads)
  if(TARGET gyre_pch AND NOT M_NAME STREQUAL "base")
    target_precompile_headers(${target} REUSE_FROM gyre_pch)
  endif()
  if(GYRE_TESTS AND M_TESTS)
    gyre_test(NAME ${target}_test SOURCES ${M_TESTS} LIBS ${target} ${M_EXTERNAL})
  endif()
endfunction()

# gyre_test(NAME n SOURCES ... LIBS ... [LABEL slow]): a GoogleTest program, one ctest entry.
function(gyre_test)
  cmake_parse_arguments(T "" "NAME;LABEL" "SOURCES;LIBS" ${ARGN})
  if(NOT T_LABEL)
    set(T_LABEL fast)
  endif()
  add_executable(${T_NAME} ${T_SOURCES})
  target_link_libraries(${T_NAME} PRIVATE ${T_LIBS} gyre_flags GTest::gtest_main GTest::gmock)
  add_test(NAME ${T_NAME} COMMAND ${T_NAME})
  set_tests_properties(${T_NAME} PROPERTIES LABELS ${T_LABEL} TIMEOUT 600)
endfunction()
