#include "runtime/actor/message_view.hpp"

#include "messages/json.hpp"
#include "messages/trading.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_table.hpp"

#include <caf/type_nr.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <unordered_map>

namespace troupe {
namespace {

constexpr std::size_t longest_string = 200;
constexpr std::size_t most_items = 8;

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](unsigned char c) {
    return c == 0x7f || (c < 0x20 && c != '\n' && c != '\t' && c != '\r');
  });
}

// --- writing -------------------------------------------------------------------------------------

/// Writes messages like `to_json`, but no more than a person reads.
struct short_writer {
  json_writer out;
  std::size_t most;

  [[nodiscard]] bool full() const { return out.text().size() >= most; }

  void text(std::string_view x) {
    if (!is_text(x))
      out.string("<" + std::to_string(x.size()) + " bytes>");
    else if (x.size() > longest_string)
      out.string(std::string{x.substr(0, longest_string)} + "… (" + std::to_string(x.size()) + ")");
    else
      out.string(x);
  }

  template <class T>
  void list(const std::vector<T>& x) {
    if constexpr (std::is_integral_v<T> && sizeof(T) == 1) {
      out.string("<" + std::to_string(x.size()) + " bytes>");
    } else {
      out.begin_array();
      std::size_t shown = 0;
      for (const auto& item : x) {
        if (shown == most_items || full()) break;
        write(item);
        ++shown;
      }
      if (shown < x.size()) out.string("… " + std::to_string(x.size() - shown) + " more");
      out.end_array();
    }
  }

  template <class T>
  void write(const T& x) {
    if constexpr (std::is_same_v<T, bool>)
      out.boolean(x);
    else if constexpr (std::is_enum_v<T>)
      out.number(static_cast<std::int64_t>(x));
    else if constexpr (std::is_integral_v<T>)
      out.number(x);
    else if constexpr (std::is_same_v<T, std::string>)
      text(x);
    else if constexpr (std::is_same_v<T, nanoseconds>)
      out.number(static_cast<std::int64_t>(x.count()));
    else if constexpr (strong_type<T>)
      write(strong_member(x));
    else if constexpr (detail::is_vector<T>::value)
      list(x);
    else if constexpr (detail::is_map<T>::value) {
      out.begin_object();
      std::size_t shown = 0;
      for (const auto& [key, value] : x) {
        if (shown++ == most_items || full()) break;
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(key)>, std::string>)
          out.key(key);
        else
          out.key(std::to_string(key));
        write(value);
      }
      out.end_object();
    } else {
      out.begin_object();
      for_each_field(x, [this](std::string_view name, const auto& value) {
        if (full()) return;
        out.key(name);
        write(value);
      });
      out.end_object();
    }
  }
};

// --- looking for an id ---------------------------------------------------------------------------

struct wanted_id {
  std::string_view text;
  std::uint64_t number = 0; ///< 0: it is no number
};

constexpr bool names_id(std::string_view field) {
  return field == "id" || field == "predictions" || field.ends_with("_id");
}

constexpr bool names_decision(std::string_view type, std::string_view field) {
  return field == "decision_sequence" || (type == "decision" && field == "sequence");
}

template <class T>
constexpr bool may_name_id();

template <class T, std::size_t... I>
constexpr bool fields_may_name_id(std::index_sequence<I...>) {
  constexpr auto fields = T::fields();
  return ((names_id(std::get<I>(fields).name) || names_decision(T::type_name, std::get<I>(fields).name)
           || may_name_id<typename std::tuple_element_t<I, decltype(T::fields())>::value_type>())
          || ...);
}

/// Records of the journal are msgpack: a text stands in them as it is. A shorter one might be there by chance.
constexpr std::size_t shortest_in_bytes = 8;

/// Types that can't name an order are passed over without a look.
template <class T>
constexpr bool may_name_id() {
  if constexpr (std::is_same_v<T, journal_entry>)
    return true;
  else if constexpr (detail::is_vector<T>::value)
    return may_name_id<typename T::value_type>();
  else if constexpr (has_fields<T>)
    return fields_may_name_id<T>(std::make_index_sequence<std::tuple_size_v<decltype(T::fields())>>{});
  else
    return false;
}

template <class T>
bool value_is(const T& x, const wanted_id& id) {
  if constexpr (std::is_same_v<T, std::string>)
    return x == id.text;
  else if constexpr (strong_text<T>)
    return x.text == id.text;
  else if constexpr (detail::is_vector<T>::value)
    return std::any_of(x.begin(), x.end(), [&](const auto& item) { return value_is(item, id); });
  else
    return false;
}

template <class T>
bool names(const T& x, const wanted_id& id) {
  if constexpr (!may_name_id<T>())
    return false;
  else if constexpr (std::is_same_v<T, journal_entry>)
    return id.text.size() >= shortest_in_bytes && x.bytes.find(id.text) != std::string::npos;
  else if constexpr (detail::is_vector<T>::value)
    return std::any_of(x.begin(), x.end(), [&](const auto& item) { return names(item, id); });
  else {
    bool found = false;
    for_each_field(x, [&](std::string_view name, const auto& value) {
      using value_type = std::remove_cvref_t<decltype(value)>;
      if (found) return;
      if (names_id(name)) found = value_is(value, id);
      if constexpr (std::is_same_v<value_type, std::uint64_t>)
        found = found || (id.number != 0 && value == id.number && names_decision(T::type_name, name));
      else
        found = found || names(value, id);
    });
    return found;
  }
}

// --- the table of our types ----------------------------------------------------------------------

struct type_entry {
  std::string_view name;
  void (*write)(short_writer& out, const void* message);
  bool (*names)(const void* message, const wanted_id& id);
};

template <class T>
type_entry entry_of() {
  return {T::type_name, [](short_writer& out, const void* x) { out.write(*static_cast<const T*>(x)); },
          [](const void* x, const wanted_id& id) { return names(*static_cast<const T*>(x), id); }};
}

using type_map = std::unordered_map<std::uintptr_t, type_entry>;

const type_map& our_types() {
  static const auto* map = [] {
    auto* out = new type_map;
#define TROUPE_VIEW_TYPE(type_)                                                                            \
  out->emplace(reinterpret_cast<std::uintptr_t>(&typeid(type_)), entry_of<type_>());
    TROUPE_MESSAGE_TYPES(TROUPE_VIEW_TYPE)
#undef TROUPE_VIEW_TYPE
    return out;
  }();
  return *map;
}

const type_entry* find_type(const caf::type_erased_tuple& content, std::size_t i) {
  const auto type = content.type(i);
  if (type.first != 0) return nullptr;
  const auto found = our_types().find(reinterpret_cast<std::uintptr_t>(type.second));
  return found == our_types().end() ? nullptr : &found->second;
}

void write_element(short_writer& out, const caf::type_erased_tuple& content, std::size_t i) {
  if (const auto* known = find_type(content, i)) return known->write(out, content.get(i));
  const auto type = content.type(i);
  if (content.match_element<std::string>(i)) return out.text(content.get_as<std::string>(i));
  if (type.first != 0) return out.text(content.stringify(i));
  out.text("<" + type_name_of(reinterpret_cast<std::uintptr_t>(type.second)) + ">");
}

// --- secrets by their shape ----------------------------------------------------------------------

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

/// Words before a value that must not be seen; in lower case.
constexpr std::array<std::string_view, 14> secret_words{
    "signature", "apikey",       "api_key",   "api-key",     "secret", "passphrase",  "password",
    "listenkey", "access-token", "x-mbx-sig", "access-sign", "bearer", "private key", "authorization"};

bool is_value_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '+' || c == '/'
         || c == '.' || c == '=' || c == '%';
}

/// Where the value behind a word begins: after `=`, `:`, quotes and spaces.
std::size_t value_after(std::string_view text, std::size_t at) {
  while (at < text.size() && std::string_view{"=:\"' \\"}.find(text[at]) != std::string_view::npos) ++at;
  return at;
}

} // namespace

std::string redact_patterns(std::string text) {
  std::string small(text.size(), ' ');
  std::transform(text.begin(), text.end(), small.begin(), lower);
  constexpr std::string_view mark = "[redacted]";
  for (const auto word : secret_words) {
    for (auto at = small.find(word); at != std::string::npos; at = small.find(word, at)) {
      at += word.size();
      // The rest of a longer name, such as `apiKeyId`, belongs to the name.
      while (at < small.size() && (std::isalnum(static_cast<unsigned char>(small[at])) || small[at] == '_'))
        ++at;
      const auto from = value_after(small, at);
      if (from == at) continue;
      auto to = from;
      while (to < small.size() && is_value_character(small[to])) ++to;
      const auto value = std::string_view{small}.substr(from, to - from);
      if (value == "basic" || value == "bearer")
        to = [&] {
          auto end = value_after(small, to);
          while (end < small.size() && is_value_character(small[end])) ++end;
          return end;
        }();
      if (to - from < 6) continue;
      text.replace(from, to - from, mark);
      small.replace(from, to - from, mark);
      at = from + mark.size();
    }
  }
  return text;
}

std::string message_text(const caf::type_erased_tuple& content, std::size_t most) {
  short_writer out{{}, most};
  if (content.size() != 1) out.out.begin_array();
  for (std::size_t i = 0; i < content.size(); ++i) write_element(out, content, i);
  if (content.size() != 1) out.out.end_array();
  return redact_patterns(std::move(out.out).text());
}

bool message_names(const caf::type_erased_tuple& content, std::string_view id) {
  wanted_id wanted{id};
  const auto [end, why] = std::from_chars(id.data(), id.data() + id.size(), wanted.number);
  if (why != std::errc{} || end != id.data() + id.size()) wanted.number = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto* known = find_type(content, i);
    if (known && known->names(content.get(i), wanted)) return true;
  }
  return false;
}

std::optional<order_names> names_of_order(const caf::type_erased_tuple& content) {
  if (content.size() != 1) return std::nullopt;
  if (content.match_element<decision>(0)) return order_names{content.get_as<decision>(0).sequence, {}};
  if (!content.match_element<risk_request>(0)) return std::nullopt;
  const auto& order = content.get_as<risk_request>(0).order;
  return order_names{order.decision_sequence, order.client_id};
}

std::uintptr_t message_type_key(std::string_view name) {
  for (const auto& [key, entry] : our_types())
    if (entry.name == name) return key;
  for (std::size_t i = 0; i + 1 < caf::type_nrs; ++i)
    if (name == caf::numbered_type_names[i]) return i + 2;
  return 0;
}

std::vector<std::string> message_type_names() {
  std::vector<std::string> out;
  for (const auto& [key, entry] : our_types()) out.emplace_back(entry.name);
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace troupe
