# How Troupe's targets are built: language level, warnings, sanitizers, ccache, mold, precompiled headers.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# The sanitizers and fuzzers look at the same vector code that is shipped.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -march=x86-64-v2")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -march=x86-64-v2 -fno-omit-frame-pointer")

# Precompiled headers and ccache agree when the preprocessor keeps the #include of the header.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
    ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# Fuzzers are led by the coverage of the libraries under test, not only of their own file.
if(TROUPE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(TROUPE_SANITIZE)
  add_compile_options(-fsanitize=${TROUPE_SANITIZE})
  add_link_options(-fsanitize=${TROUPE_SANITIZE})
  if(TROUPE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# Shared settings of every target of ours.
add_library(troupe_settings INTERFACE)
target_include_directories(troupe_settings INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(troupe_settings INTERFACE -Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)

# troupe_library(NAME SOURCES … [DEPS …] [ACTORS] [PCH header …])
# A static library of one folder. ACTORS builds several files per translation unit and precompiles CAF,
# which makes typed actors several times cheaper to compile.
function(troupe_library name)
  cmake_parse_arguments(arg "ACTORS" "" "SOURCES;DEPS;PCH" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC troupe_settings ${arg_DEPS})
  if(arg_ACTORS)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    target_precompile_headers(${name} PRIVATE <caf/all.hpp> <caf/io/all.hpp>)
  elseif(arg_PCH)
    target_precompile_headers(${name} PRIVATE ${arg_PCH})
  endif()
endfunction()

# troupe_test(NAME SOURCES … [DEPS …] [LABELS fast|slow …] [TIMEOUT seconds] [ARGS …])
# One test program per module on CAF's test headers, run by ctest.
function(troupe_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPS;LABELS;ARGS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS fast)
  endif()
  if(TROUPE_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 5")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE troupe_test_main ${arg_DEPS})
  target_compile_options(${name} PRIVATE -include ${CMAKE_SOURCE_DIR}/tests/support/lasting_checks.hpp)
  # CAF's runner gives up on a single test after 10 s by default; the limit that counts is ctest's.
  add_test(NAME ${name} COMMAND ${name} -r ${arg_TIMEOUT} ${arg_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
    SKIP_REGULAR_EXPRESSION "^SKIPPED PROGRAM"
    ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0;UBSAN_OPTIONS=print_stacktrace=1:suppressions=${CMAKE_SOURCE_DIR}/tests/ubsan.supp;TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp")
endfunction()

# troupe_fuzz(NAME SOURCE DEPS …): a libFuzzer target.
function(troupe_fuzz name source)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE troupe_settings ${ARGN})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
endfunction()
