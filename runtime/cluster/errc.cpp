#include "runtime/cluster/errc.hpp"

#include <string>

namespace troupe {
namespace {

class cluster_category final : public std::error_category {
  const char* name() const noexcept override { return "cluster"; }
  std::string message(int value) const override {
    switch (static_cast<cluster_errc>(value)) {
    case cluster_errc::bad_syntax: return "line can't be read";
    case cluster_errc::unknown_word: return "unknown word";
    case cluster_errc::bad_value: return "value out of range";
    case cluster_errc::conflict: return "lines contradict each other";
    case cluster_errc::unreadable: return "file can't be read or written";
    case cluster_errc::unknown_node: return "no such node";
    case cluster_errc::refused: return "refused";
    case cluster_errc::unreachable: return "nobody answers";
    case cluster_errc::timed_out: return "no answer in time";
    case cluster_errc::not_found: return "not found";
    case cluster_errc::port_in_use: return "port in use";
    case cluster_errc::damaged: return "damaged file";
    case cluster_errc::failed: return "system call failed";
    }
    return "unknown";
  }
};

} // namespace

std::error_code make_error_code(cluster_errc code) noexcept {
  static const cluster_category category;
  return {static_cast<int>(code), category};
}

} // namespace troupe
