#pragma once

/// Typed records of the order journal: which message belongs to which kind, and both directions.

#include "messages/msgpack.hpp"
#include "messages/trading.hpp"
#include "storage/errc.hpp"

namespace troupe {

template <class T>
struct journal_kind_of;
template <>
struct journal_kind_of<journal_session>
    : std::integral_constant<journal_kind, journal_kind::session> {};
template <>
struct journal_kind_of<intent> : std::integral_constant<journal_kind, journal_kind::intent> {};
template <>
struct journal_kind_of<journal_sent> : std::integral_constant<journal_kind, journal_kind::sent> {};
template <>
struct journal_kind_of<order_report> : std::integral_constant<journal_kind, journal_kind::report> {
};
template <>
struct journal_kind_of<journal_cursor>
    : std::integral_constant<journal_kind, journal_kind::cursor> {};
template <>
struct journal_kind_of<halt_state> : std::integral_constant<journal_kind, journal_kind::halt> {};
template <>
struct journal_kind_of<decision> : std::integral_constant<journal_kind, journal_kind::decision> {};
template <>
struct journal_kind_of<journal_note> : std::integral_constant<journal_kind, journal_kind::note> {};
template <>
struct journal_kind_of<journal_balance>
    : std::integral_constant<journal_kind, journal_kind::balance> {};

/// A message as a journal record.
template <class T>
journal_entry to_entry(const T& x) {
  return {.kind = journal_kind_of<T>::value, .schema = schema_hash<T>(), .bytes = to_msgpack(x)};
}

/// The message of a journal record; an error for another kind or schema.
template <class T>
result<T> from_entry(const journal_entry& entry) {
  if (entry.kind != journal_kind_of<T>::value)
    return {codec_errc::wrong_type, "journal record of kind "
                                        + std::to_string(static_cast<int>(entry.kind))
                                        + " is not a " + std::string{T::type_name}};
  if (entry.schema != schema_hash<T>())
    return {codec_errc::wrong_schema,
            "journal record of an earlier form of " + std::string{T::type_name}};
  return from_msgpack<T>(entry.bytes);
}

/// Calls `visitor` with the decoded message of a record: an overload set that takes each type of
/// `journal_kind_of` (use a generic lambda for those of no interest). Unknown kinds are errors.
template <class Visitor>
status visit_entry(const journal_entry& entry, Visitor&& visitor) {
  const auto pass = [&]<class T>(std::type_identity<T>) -> status {
    auto x = from_entry<T>(entry);
    if (!x) return std::move(x).error();
    visitor(*x);
    return ok;
  };
  switch (entry.kind) {
  case journal_kind::session:
    return pass(std::type_identity<journal_session>{});
  case journal_kind::intent:
    return pass(std::type_identity<intent>{});
  case journal_kind::sent:
    return pass(std::type_identity<journal_sent>{});
  case journal_kind::report:
    return pass(std::type_identity<order_report>{});
  case journal_kind::cursor:
    return pass(std::type_identity<journal_cursor>{});
  case journal_kind::halt:
    return pass(std::type_identity<halt_state>{});
  case journal_kind::decision:
    return pass(std::type_identity<decision>{});
  case journal_kind::note:
    return pass(std::type_identity<journal_note>{});
  case journal_kind::balance:
    return pass(std::type_identity<journal_balance>{});
  case journal_kind::none:
    break;
  }
  return {storage_errc::damaged,
          "journal record of unknown kind " + std::to_string(static_cast<int>(entry.kind))};
}

/// "intent", "report", …; "?" for an unknown number.
std::string_view name_of(journal_kind kind) noexcept;

} // namespace troupe
