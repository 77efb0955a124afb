#pragma once

/// What the venues' request signatures have in common: HMAC-SHA256 as lower-case hex, and queries that are
/// percent-encoded before they are signed. What exactly is signed stands with each venue.

#include "messages/secret.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Names and raw values in the order of sending.
using parameters = std::vector<std::pair<std::string, std::string>>;

/// An account's key pair; made by whoever reads `.env`.
struct api_keys {
  secret key;
  secret secret_key;
};

/// Lower-case hex of HMAC-SHA256.
std::string hmac_sha256_hex(const secret& key, std::string_view text);

/// "a=1&b=x%20y": names and values percent-encoded (RFC 3986), in order.
std::string query_of(const parameters& list);

} // namespace troupe
