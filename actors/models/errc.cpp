#include "actors/models/errc.hpp"

#include <string>

namespace troupe {
namespace {

class model_category final : public std::error_category {
  const char* name() const noexcept override { return "model"; }
  std::string message(int value) const override {
    switch (static_cast<model_errc>(value)) {
    case model_errc::bad_container: return "not a safetensors file, or damaged";
    case model_errc::too_large: return "beyond the size limits";
    case model_errc::unknown_tensor: return "a tensor this network does not have";
    case model_errc::missing_tensor: return "a tensor is missing";
    case model_errc::wrong_type: return "tensor of another type";
    case model_errc::wrong_shape: return "tensor of another shape";
    case model_errc::not_finite: return "holds infinities or NaN";
    case model_errc::wrong_hash: return "SHA-256 does not match";
    case model_errc::wrong_frame: return "frame does not fit the network";
    case model_errc::wrong_architecture: return "made for another network";
    case model_errc::no_weights: return "no weights loaded";
    case model_errc::bad_chunk: return "piece does not fit";
    case model_errc::overloaded: return "too many requests wait";
    case model_errc::expired: return "waited too long";
    case model_errc::library_failure: return "LibTorch failed";
    }
    return "unknown";
  }
};

} // namespace

std::error_code make_error_code(model_errc code) noexcept {
  static const model_category category;
  return {static_cast<int>(code), category};
}

} // namespace troupe
