#include "messages/operator_fault.hpp"

namespace troupe {
namespace {

class operator_category final : public std::error_category {
  const char* name() const noexcept override { return "operator"; }
  std::string message(int) const override { return "a person has to mend this"; }
};

} // namespace

std::error_code make_error_code(operator_errc code) noexcept {
  static const operator_category category;
  return {static_cast<int>(code), category};
}

error for_operator(error why) {
  why.code = make_error_code(operator_errc::must_mend);
  return why;
}

bool is_for_operator(const error& why) noexcept {
  return why.code == make_error_code(operator_errc::must_mend);
}

} // namespace troupe
