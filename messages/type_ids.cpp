#include "messages/type_ids.hpp"

#include <caf/actor_control_block.hpp>

namespace troupe {

// Checked once, here: in the header every file of actors would pay for it.
#define TROUPE_CHECK_TYPE(type_)                                                                   \
  static_assert(lists_all_fields<type_>, #type_ ": a member is missing in its field list");        \
  static_assert(wire_message<type_>, #type_ ": floating-point or pointer field");
TROUPE_MESSAGE_TYPES(TROUPE_CHECK_TYPE)
#undef TROUPE_CHECK_TYPE


std::uint64_t cluster_schema_hash() {
  static const auto hash = [] {
    std::uint64_t sum = stable_hash("troupe-schema-1");
#define TROUPE_HASH_TYPE(type_) sum = stable_hash(schema_text<type_>(), sum);
    TROUPE_MESSAGE_TYPES(TROUPE_HASH_TYPE)
#undef TROUPE_HASH_TYPE
    return sum;
  }();
  return hash;
}

void register_message_types(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::troupe>();
  // The handles that travel beside a directory_update.
  config.add_message_type<std::vector<caf::strong_actor_ptr>>("troupe::handles");
}

} // namespace troupe
