#pragma once

/// Messages for people: their content as JSON with field names, bounded in size, and whether they
/// speak of a given order. Types that are not ours and not CAF's basic ones are shown by name only:
/// what nobody declared printable may hold a secret.

#include <caf/type_erased_tuple.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Content as JSON, one value or, with several elements, an array. Long strings, lists and the whole
/// are cut (at 200 bytes, 8 items and about `most` bytes); bytes that are no text are only counted.
/// Secrets known by their shape are replaced; those known by value are the log's business.
std::string message_text(const caf::type_erased_tuple& content, std::size_t most);

/// Whether a message names `id`: any of its string fields called `id`, `…_id` or `predictions` equals
/// it, or, when `id` is a number, its decision number does. Looks into lists, nested messages and records of the
/// journal.
bool message_names(const caf::type_erased_tuple& content, std::string_view id);

/// The names of one order, as far as a message knows them.
struct order_names {
  std::uint64_t decision = 0; ///< 0: not told
  std::string client_id;      ///< empty: not told
};

/// What a decision, or the question whether its order may go out, names; empty for every other message.
std::optional<order_names> names_of_order(const caf::type_erased_tuple& content);

/// Key of a message type (as in `type_counts`) by its printable name; 0 when there is none.
std::uintptr_t message_type_key(std::string_view name);

/// Printable names of all our message types.
std::vector<std::string> message_type_names();

/// Replaces what looks like a key, a signature or a token by "[redacted]".
std::string redact_patterns(std::string text);

} // namespace troupe
