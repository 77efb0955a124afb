#include "storage/errc.hpp"

namespace troupe {
namespace {

class storage_category final : public std::error_category {
  const char* name() const noexcept override { return "storage"; }
  std::string message(int value) const override {
    switch (static_cast<storage_errc>(value)) {
    case storage_errc::io_failed:
      return "input or output failed";
    case storage_errc::no_space:
      return "no space left";
    case storage_errc::not_found:
      return "not found";
    case storage_errc::exists:
      return "exists already";
    case storage_errc::damaged:
      return "damaged";
    case storage_errc::unfinished:
      return "never finished";
    case storage_errc::wrong_format:
      return "not a file of this kind";
    case storage_errc::newer_version:
      return "written by a newer program";
    case storage_errc::locked:
      return "held by another process";
    case storage_errc::foreign:
      return "belongs to another";
    case storage_errc::fenced:
      return "a newer epoch exists";
    case storage_errc::failed:
      return "closed by an earlier failure";
    case storage_errc::already_matured:
      return "outcome attached already";
    case storage_errc::too_large:
      return "too large";
    case storage_errc::bad_input:
      return "bad input";
    }
    return "unknown";
  }
};

} // namespace

std::error_code make_error_code(storage_errc code) noexcept {
  static const storage_category category;
  return {static_cast<int>(code), category};
}

} // namespace troupe
