#pragma once

/// What an actor that opens files at its start ends with. Actor shells only.

#include "messages/operator_fault.hpp"
#include "storage/errc.hpp"

namespace troupe {

/// Errors about what is in the files become `for_operator`: the next start would find the same. Locks of
/// a predecessor that is still ending, full disks and I/O errors stay what they are: they may pass.
[[nodiscard]] inline error as_start_error(error why) {
  for (const auto lasting : {storage_errc::damaged, storage_errc::wrong_format, storage_errc::newer_version,
                             storage_errc::foreign, storage_errc::bad_input, storage_errc::not_found})
    if (why.code == make_error_code(lasting)) return for_operator(std::move(why));
  return why;
}

} // namespace troupe
