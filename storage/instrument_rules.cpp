#include "storage/instrument_rules.hpp"

#include "storage/record.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace troupe {
namespace {

constexpr std::uint16_t rules_kind = 0x4952; // "IR"
constexpr std::uint64_t largest_file = 4u << 20;

/// The same amount at another scale; nothing when it has digits that the other scale lacks, or is too large.
std::optional<std::int64_t> rescale(std::int64_t raw, int from, int to) {
  for (; from < to; ++from)
    if (__builtin_mul_overflow(raw, std::int64_t{10}, &raw)) return {};
  for (; from > to; --from) {
    if (raw % 10 != 0) return {};
    raw /= 10;
  }
  return raw;
}

/// Limits may be beyond what a scale holds: then there is no limit that matters.
std::int64_t rescale_limit(std::int64_t raw, int from, int to) {
  for (; from < to; ++from)
    if (__builtin_mul_overflow(raw, std::int64_t{10}, &raw)) return std::numeric_limits<std::int64_t>::max();
  for (; from > to; --from) raw /= 10;
  return raw;
}

} // namespace

std::filesystem::path rules_file(const std::filesystem::path& directory, const venue_id& venue) {
  return directory / (venue.text + ".rules");
}

status save_rules(disk& on, const std::filesystem::path& directory, const instrument_rules& rules) {
  if (auto made = on.create_directories(directory); !made) return made;
  return replace_file(on, rules_file(directory, rules.venue), to_record(rules, rules_kind));
}

result<instrument_rules> load_rules(disk& on, const std::filesystem::path& directory, const venue_id& venue) {
  const auto path = rules_file(directory, venue);
  const auto bytes = read_whole(on, path, largest_file);
  if (!bytes) return bytes.error();
  auto rules = from_record<instrument_rules>(*bytes, rules_kind);
  if (!rules) return with_context(std::move(rules).error(), path.string());
  if (rules->venue != venue)
    return {storage_errc::foreign,
            path.string() + " holds the rules of " + rules->venue.text + "; remove it"};
  return rules;
}

const instrument_spec* find_rules(const std::vector<instrument_spec>& of_venue, const instrument_spec& ours) {
  const auto at = std::ranges::find_if(of_venue, [&](const instrument_spec& each) {
    return each.venue_symbol == ours.venue_symbol && each.kind == ours.kind;
  });
  return at == of_venue.end() ? nullptr : &*at;
}

result<instrument_spec> with_rules(const instrument_spec& ours, const instrument_spec& of_venue) {
  const auto tick = rescale(of_venue.tick.raw, of_venue.price_scale, ours.price_scale);
  const auto lot = rescale(of_venue.lot.raw, of_venue.size_scale, ours.size_scale);
  if (!tick || !lot || *tick <= 0 || *lot <= 0)
    return {storage_errc::bad_input,
            "the venue's steps of " + ours.id.text + " are finer than configured: tick "
                + format_decimal_short(of_venue.tick.raw, of_venue.price_scale) + ", lot "
                + format_decimal_short(of_venue.lot.raw, of_venue.size_scale)
                + "; raise price_scale or size_scale in venues.yaml"};
  auto out = ours;
  out.tick = {*tick};
  out.lot = {*lot};
  out.min_size = {rescale_limit(of_venue.min_size.raw, of_venue.size_scale, ours.size_scale)};
  out.max_size = {rescale_limit(of_venue.max_size.raw, of_venue.size_scale, ours.size_scale)};
  out.min_notional = {rescale_limit(of_venue.min_notional.raw, of_venue.price_scale + of_venue.size_scale,
                                    ours.price_scale + ours.size_scale)};
  out.valid_from = of_venue.valid_from;
  return out;
}

} // namespace troupe
