#pragma once

/// Error codes of the storage libraries (tape, journal, store).

#include "messages/error.hpp"

namespace troupe {

enum class storage_errc {
  io_failed = 1,   ///< the operating system refused or failed an operation
  no_space,        ///< the disk or a quota is full
  not_found,       ///< no such file, key or row
  exists,          ///< would overwrite something
  damaged,         ///< a checksum or a structure is wrong
  unfinished,      ///< the file was never closed: only a prefix is there
  wrong_format,    ///< not a file of this kind
  newer_version,   ///< written by a newer program
  locked,          ///< another process holds it
  foreign,         ///< belongs to another node, machine or account
  fenced,          ///< a newer epoch exists
  failed,          ///< refused because an earlier write or sync failed
  already_matured, ///< the outcome is attached already
  too_large,       ///< beyond a bound
  bad_input        ///< an argument or an input line that makes no sense
};

std::error_code make_error_code(storage_errc code) noexcept;

/// Prefixes the text of an error with where it happened.
[[nodiscard]] inline error with_context(error err, const std::string& where) {
  err.text = where + ": " + err.text;
  return err;
}

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::storage_errc> : std::true_type {};
