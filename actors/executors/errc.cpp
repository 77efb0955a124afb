#include "actors/executors/errc.hpp"

namespace troupe {
namespace {

class executor_category final : public std::error_category {
  const char* name() const noexcept override { return "executor"; }
  std::string message(int value) const override {
    switch (static_cast<executor_errc>(value)) {
    case executor_errc::bad_input:
      return "bad input";
    case executor_errc::overflow:
      return "amount does not fit";
    case executor_errc::contradiction:
      return "contradicting facts";
    case executor_errc::damaged:
      return "damaged file";
    case executor_errc::fenced:
      return "fenced by a newer executor";
    }
    return "unknown";
  }
};

} // namespace

std::error_code make_error_code(executor_errc code) noexcept {
  static const executor_category category;
  return {static_cast<int>(code), category};
}

} // namespace troupe
