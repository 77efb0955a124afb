# Everything Troupe stands on, as imported targets. What is missing is named with its Debian package.

find_package(Threads REQUIRED)
find_package(CAF 0.17.6 EXACT REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED) # Debian: libprotobuf-dev; the lite runtime's wire format for MEXC
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ROCKSDB REQUIRED IMPORTED_TARGET rocksdb)
pkg_check_modules(NCURSESW REQUIRED IMPORTED_TARGET ncursesw) # Debian: libncurses-dev; linked into troupe only
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)

# msgpack-c without its optional Boost parts: they pull Boost.Preprocessor into every message header.
find_path(MSGPACK_INCLUDE_DIR msgpack.hpp REQUIRED)
add_library(troupe_msgpack INTERFACE)
target_include_directories(troupe_msgpack SYSTEM INTERFACE ${MSGPACK_INCLUDE_DIR})
target_compile_definitions(troupe_msgpack INTERFACE MSGPACK_NO_BOOST)

# Beast and Asio compiled once (actors/connectors/net), not in every file that includes them.
add_library(troupe_boost INTERFACE)
target_include_directories(troupe_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(troupe_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ERROR_CODE_HEADER_ONLY BOOST_COROUTINES_NO_DEPRECATION_WARNING)
target_link_libraries(troupe_boost INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

if(TROUPE_TORCH)
  find_package(Torch REQUIRED)
endif()
