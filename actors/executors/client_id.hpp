#pragma once

/// Names and fingerprints of orders, as pure functions of the intent: whoever knows the intent
/// can ask the venue for its order, also after a crash, on another machine, years later.

#include "messages/trading.hpp"

#include <string>

namespace troupe {

/// Longest client order id we make: the strictest venue takes 32 of [A-Za-z0-9-_].
inline constexpr std::size_t client_id_length = 28;

/// Client order id of an intent: "t-" and 128 bits of XXH3 over account, decision sequence, leg,
/// instrument, side, kind, time in force, limit, quantity and reduce-only, in base32 of a-z2-7.
/// `created`, `expires`, `client_id` and `approval` don't enter: a repeated attempt has the same
/// id.
[[nodiscard]] std::string client_id_of(const intent& order);

/// True for ids of the shape that `client_id_of` makes: ours, whichever life of the executor sent
/// it.
[[nodiscard]] bool is_our_client_id(std::string_view id) noexcept;

/// What risk signs: a hash over every field of the order, client id and times included, except
/// `approval` itself. Never 0, since 0 means "not approved".
[[nodiscard]] std::uint64_t approval_hash(const intent& order);

} // namespace troupe
