#pragma once

/// A key or password. It can't be printed, compared for order, put into a message or copied by accident,
/// and its memory is overwritten when it goes.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// Move-only holder of secret bytes. Reading takes the one long word, so that a search finds all uses.
class secret {
public:
  secret() = default;
  explicit secret(std::string value) : value_{std::move(value)} { wipe(value); }
  ~secret() { wipe(value_); }
  secret(secret&& other) noexcept : value_{std::move(other.value_)} { wipe(other.value_); }
  secret& operator=(secret&& other) noexcept {
    if (this == &other) return *this;
    wipe(value_);
    value_ = std::move(other.value_);
    wipe(other.value_);
    return *this;
  }
  secret(const secret&) = delete;
  secret& operator=(const secret&) = delete;

  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  /// A second holder of the same bytes, on purpose.
  [[nodiscard]] secret clone() const { return secret{std::string{value_}}; }
  /// The bytes themselves: for signing, for the venue's key header and for `log::register_secret`.
  [[nodiscard]] std::string_view expose_to_signer() const noexcept { return value_; }

  /// Overwrites and empties `text`; the writes can't be optimised away.
  static void wipe(std::string& text) noexcept {
    // Up to the capacity: a move leaves short strings behind in the object.
    text.resize(text.capacity());
    volatile char* bytes = text.data();
    for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = 0;
    text.clear();
  }

private:
  std::string value_;
};

} // namespace troupe
