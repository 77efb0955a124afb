#pragma once

/// SHA-256 through OpenSSL: the name by which weights are known everywhere.

#include <string>
#include <string_view>

namespace troupe {

/// Lower-case hex of the SHA-256 of `bytes`, 64 characters; empty when OpenSSL has no SHA-256.
std::string content_hash(std::string_view bytes);

/// True for 64 lower-case hex digits: what may become part of a path.
bool is_content_hash(std::string_view text) noexcept;

} // namespace troupe
