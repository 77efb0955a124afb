#pragma once

/// Binance's HMAC-SHA256 signatures. REST signs the query string as it is sent: since 2026-01-15 values are
/// percent-encoded before signing (else -1022). The WS API signs all parameters but the signature, sorted
/// by name, joined raw (not encoded). Source: binance-spot-api-docs, rest-api.md and web-socket-api.md.

#include "actors/connectors/signing.hpp"

namespace troupe::binance {

/// The query with "&signature=…" behind it.
std::string signed_query(const parameters& list, const secret& key);

/// The text the WS API signs: sorted by name, "a=1&b=x y".
std::string sorted_payload(parameters list);

/// A whole WS API request as JSON, signed; `list` holds everything but the signature. Values of `timestamp`
/// and `recvWindow` are written as numbers, the others as strings.
std::string signed_ws_request(std::string_view id, std::string_view method, parameters list,
                              const secret& key);

/// A WS API request without signature.
std::string ws_request(std::string_view id, std::string_view method, const parameters& list);

} // namespace troupe::binance
