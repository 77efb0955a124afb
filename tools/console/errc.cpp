#include "tools/console/errc.hpp"

namespace troupe::console {
namespace {

class console_error_category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "console"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<console_errc>(code)) {
    case console_errc::no_terminal: return "no terminal";
    case console_errc::no_wake: return "no descriptor left";
    }
    return "unknown";
  }
};

} // namespace

const std::error_category& console_category() noexcept {
  static const console_error_category category;
  return category;
}

} // namespace troupe::console
