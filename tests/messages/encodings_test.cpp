#define CAF_SUITE encodings
#include "messages/json.hpp"
#include "messages/msgpack.hpp"
#include "messages/tensor.hpp"
#include "messages/type_ids.hpp"
#include "tests/messages/generate.hpp"
#include "tests/support/seeds.hpp"

#include <caf/actor_system.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/test/unit_test.hpp>

#include <bit>
#include <set>

using namespace troupe;
using namespace troupe::test;

// --- what may not be sent: the compiler says so
// --------------------------------------------------------

namespace {

struct with_double {
  double x = 0;
  TROUPE_FIELDS(with_double, "", TROUPE_FIELD(x, ""))
};
struct with_float_in_vector {
  std::vector<float> x;
  TROUPE_FIELDS(with_float_in_vector, "", TROUPE_FIELD(x, ""))
};
struct with_float_in_map {
  std::map<std::string, double> x;
  TROUPE_FIELDS(with_float_in_map, "", TROUPE_FIELD(x, ""))
};
struct with_float_below {
  std::vector<with_double> x;
  TROUPE_FIELDS(with_float_below, "", TROUPE_FIELD(x, ""))
};
struct with_pointer {
  int* x = nullptr;
  TROUPE_FIELDS(with_pointer, "", TROUPE_FIELD(x, ""))
};
struct with_unlisted {
  int x = 0;
  int forgotten = 0;
  TROUPE_FIELDS(with_unlisted, "", TROUPE_FIELD(x, ""))
};
struct strong_double {
  double value = 0;
};
struct with_strong_double {
  strong_double x;
  TROUPE_FIELDS(with_strong_double, "", TROUPE_FIELD(x, ""))
};
struct fine {
  std::int64_t x = 0;
  std::map<std::string, std::vector<price>> y;
  TROUPE_FIELDS(fine, "", TROUPE_FIELD(x, ""), TROUPE_FIELD(y, ""))
};
struct renamed {
  std::int64_t z = 0;
  std::map<std::string, std::vector<price>> y;
  TROUPE_FIELDS(renamed, "", TROUPE_FIELD(z, ""), TROUPE_FIELD(y, ""))
};
struct retyped {
  std::int32_t x = 0;
  std::map<std::string, std::vector<price>> y;
  TROUPE_FIELDS(retyped, "", TROUPE_FIELD(x, ""), TROUPE_FIELD(y, ""))
};
struct reordered {
  std::int64_t x = 0;
  std::map<std::string, std::vector<price>> y;
  TROUPE_FIELDS(reordered, "", TROUPE_FIELD(y, ""), TROUPE_FIELD(x, ""))
};
struct outer_a {
  fine inner;
  TROUPE_FIELDS(outer_a, "", TROUPE_FIELD(inner, ""))
};
struct outer_b {
  retyped inner;
  TROUPE_FIELDS(outer_b, "", TROUPE_FIELD(inner, ""))
};

static_assert(wire_message<fine>);
static_assert(!wire_message<with_double>);
static_assert(!wire_message<with_float_in_vector>);
static_assert(!wire_message<with_float_in_map>);
static_assert(!wire_message<with_float_below>);
static_assert(!wire_message<with_pointer>);
static_assert(!wire_message<with_unlisted>);
static_assert(!wire_message<with_strong_double>);
static_assert(!wire_message<int>);

/// The shape of a message without its own name.
template <class T>
std::string shape() {
  const auto text = schema_text<T>();
  return text.substr(text.find('{'));
}

/// Calls `check` with one generated value of every registered type.
template <class Check>
void for_every_type(generator& random, Check check) {
#define TROUPE_CHECK_ONE(type_) check(random.make<type_>());
  TROUPE_MESSAGE_TYPES(TROUPE_CHECK_ONE)
#undef TROUPE_CHECK_ONE
}

struct system_fixture {
  struct config_type : caf::actor_system_config {
    config_type() {
      register_message_types(*this);
      set("scheduler.max-threads", std::size_t{1});
    }
  };
  config_type config;
  caf::actor_system system{config};
};

} // namespace

// --- round trips
// -----------------------------------------------------------------------------------

CAF_TEST(every_registered_type_round_trips_through_msgpack) {
  generator random{seed_of("msgpack_round_trip", 1)};
  for (std::uint64_t i = 0; i < scaled(150); ++i)
    for_every_type(random, [](const auto& x) {
      using type = std::remove_cvref_t<decltype(x)>;
      const auto back = from_msgpack<type>(to_msgpack(x));
      CAF_REQUIRE(back.has_value());
      CAF_REQUIRE(*back == x);
    });
}

CAF_TEST_FIXTURE_SCOPE(caf_tests, system_fixture)

CAF_TEST(every_registered_type_round_trips_through_caf) {
  generator random{seed_of("caf_round_trip", 2)};
  for (std::uint64_t i = 0; i < scaled(100); ++i)
    for_every_type(random, [this](const auto& x) {
      std::vector<char> bytes;
      caf::binary_serializer sink{system, bytes};
      // As a message, as it goes over a link: type names and all.
      auto message = caf::make_message(x);
      CAF_REQUIRE(!sink(message));
      caf::message back;
      caf::binary_deserializer source{system, bytes};
      CAF_REQUIRE(!source(back));
      using type = std::remove_cvref_t<decltype(x)>;
      CAF_REQUIRE(back.match_elements<type>());
      CAF_REQUIRE(back.get_as<type>(0) == x);
    });
}

CAF_TEST(damaged_caf_bytes_are_an_error_or_a_value_but_never_a_crash) {
  generator random{seed_of("damaged_caf", 3)};
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < scaled(10); ++i)
    for_every_type(random, [&](const auto& x) {
      std::vector<char> bytes;
      caf::binary_serializer sink{system, bytes};
      CAF_REQUIRE(!sink(x));
      bytes.resize(random.below(bytes.size() + 1));
      std::remove_cvref_t<decltype(x)> back{};
      caf::binary_deserializer source{system, bytes};
      refused += source(back) ? 1 : 0;
    });
  CAF_CHECK(refused > 100);
}

CAF_TEST_FIXTURE_SCOPE_END()

// --- damage
// ----------------------------------------------------------------------------------------

CAF_TEST(every_truncation_of_msgpack_is_an_error) {
  generator random{seed_of("msgpack_truncation", 4)};
  for_every_type(random, [](const auto& x) {
    using type = std::remove_cvref_t<decltype(x)>;
    const auto bytes = to_msgpack(x);
    for (std::size_t n = 0; n < bytes.size(); n += 1 + n / 50)
      CAF_REQUIRE(!from_msgpack<type>(std::string_view{bytes}.substr(0, n)));
    const auto longer = from_msgpack<type>(bytes + '\0');
    CAF_REQUIRE(!longer);
    CAF_REQUIRE(longer.error().code == codec_errc::trailing_bytes);
  });
}

CAF_TEST(mutated_msgpack_gives_an_error_with_a_text_or_a_value_that_encodes_again) {
  generator random{seed_of("msgpack_mutation", 5)};
  std::uint64_t refused = 0;
  std::uint64_t taken = 0;
  for (std::uint64_t i = 0; i < scaled(120); ++i)
    for_every_type(random, [&](const auto& x) {
      using type = std::remove_cvref_t<decltype(x)>;
      auto bytes = to_msgpack(x);
      for (auto n = 1 + random.below(4); n > 0; --n)
        bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
      const auto back = from_msgpack<type>(bytes);
      if (back) {
        ++taken;
        CAF_REQUIRE(from_msgpack<type>(to_msgpack(*back)).value() == *back);
      } else {
        ++refused;
        CAF_REQUIRE(!back.error().text.empty());
      }
    });
  CAF_CHECK(refused > 100);
  CAF_CHECK(taken > 100);
}

CAF_TEST(forged_lengths_do_not_allocate) {
  // An array of 2^32-1 items, a string of 2^32-1 bytes, 40 levels of nesting: all refused at once.
  CAF_CHECK(!from_msgpack<training_batch>(std::string{"\xdd\xff\xff\xff\xff", 5}));
  CAF_CHECK(!from_msgpack<ping>(std::string{"\x93\xc6\xff\xff\xff\xff", 6}));
  CAF_CHECK(!from_msgpack<ping>(std::string(40, '\x91')));
  CAF_CHECK(!from_msgpack<ping>(""));
}

CAF_TEST(a_wrong_type_is_named_with_its_field) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> out{buffer};
  out.pack_array(3);
  out.pack(std::string{"ingest"});
  out.pack(std::string{"one"});
  out.pack(7);
  const auto back = from_msgpack<pong>({buffer.data(), buffer.size()});
  CAF_REQUIRE(!back);
  CAF_CHECK_EQUAL(back.error().text, "pong.incarnation: not an integer");
  CAF_CHECK(back.error().code == codec_errc::wrong_type);
}

// --- schema
// ----------------------------------------------------------------------------------------

CAF_TEST(a_changed_field_changes_the_schema) {
  CAF_CHECK_EQUAL(shape<fine>(), "{x:i64 y:map:str:[i64] }");
  CAF_CHECK_NOT_EQUAL(shape<renamed>(), shape<fine>());
  CAF_CHECK_NOT_EQUAL(shape<retyped>(), shape<fine>());
  CAF_CHECK_NOT_EQUAL(shape<reordered>(), shape<fine>());
  CAF_CHECK_NOT_EQUAL(shape<outer_b>(), shape<outer_a>());
  CAF_CHECK_EQUAL(schema_hash<fine>(), stable_hash(schema_text<fine>()));
}

CAF_TEST(registered_types_have_different_schemas) {
  std::set<std::uint64_t> hashes;
  std::size_t count = 0;
#define TROUPE_COLLECT(type_)                                                                      \
  hashes.insert(schema_hash<type_>());                                                             \
  ++count;
  TROUPE_MESSAGE_TYPES(TROUPE_COLLECT)
#undef TROUPE_COLLECT
  CAF_CHECK_EQUAL(hashes.size(), count);
  CAF_CHECK_NOT_EQUAL(cluster_schema_hash(), 0u);
  CAF_CHECK_EQUAL(cluster_schema_hash(), cluster_schema_hash());
}

CAF_TEST(the_stable_hash_is_fnv_1a) {
  // Test vectors of the FNV authors (draft-eastlake-fnv).
  CAF_CHECK_EQUAL(stable_hash(""), 0xcbf29ce484222325u);
  CAF_CHECK_EQUAL(stable_hash("a"), 0xaf63dc4c8601ec8cu);
  CAF_CHECK_EQUAL(stable_hash("foobar"), 0x85944171f73967e8u);
}

CAF_TEST(every_field_is_documented) {
#define TROUPE_DOCUMENTED(type_)                                                                   \
  CAF_CHECK(!type_::type_doc.empty());                                                             \
  CAF_CHECK(std::apply([](const auto&... f) { return (!f.doc.empty() && ...); }, type_::fields()));
  TROUPE_MESSAGE_TYPES(TROUPE_DOCUMENTED)
#undef TROUPE_DOCUMENTED
}

// --- JSON
// ------------------------------------------------------------------------------------------

CAF_TEST(json_strings_are_escaped) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  CAF_CHECK_EQUAL(escaped("plain"), "\"plain\"");
  CAF_CHECK_EQUAL(escaped("a\"b\\c"), "\"a\\\"b\\\\c\"");
  CAF_CHECK_EQUAL(escaped("\n\r\t"), "\"\\n\\r\\t\"");
  CAF_CHECK_EQUAL(escaped(std::string_view{"\0\x01\x1f\x7f", 4}),
                  "\"\\u0000\\u0001\\u001f\\u007f\"");
  CAF_CHECK_EQUAL(escaped("größer €"), "\"größer €\"");
}

CAF_TEST(the_writer_puts_commas_where_they_belong) {
  json_writer w;
  w.begin_object()
      .field("a", 1)
      .key("b")
      .begin_array()
      .number(1)
      .number(2)
      .begin_object()
      .end_object()
      .end_array();
  w.field("c", "x").field("d", true).field("e", 0.5, 2).key("f").raw("null").end_object();
  CAF_CHECK_EQUAL(w.text(), R"({"a":1,"b":[1,2,{}],"c":"x","d":true,"e":0.50,"f":null})");
  json_writer odd;
  odd.begin_array()
      .number(std::numeric_limits<double>::infinity())
      .number(std::nan(""))
      .end_array();
  CAF_CHECK_EQUAL(odd.text(), "[null,null]");
}

CAF_TEST(messages_become_json_by_their_field_names) {
  CAF_CHECK_EQUAL(to_json(pong{{"in\"gest"}, 7, 9}),
                  R"({"node":"in\"gest","incarnation":7,"sequence":9})");
}

// --- tensors
// ---------------------------------------------------------------------------------------

CAF_TEST(tensors_keep_every_bit) {
  generator random{seed_of("tensors", 6)};
  std::vector<float> values;
  for (int i = 0; i < 5'000; ++i)
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random.below(1ull << 32))));
  const auto back = unpack_f32(pack_f32(values, {50, 100}));
  CAF_REQUIRE(back.has_value());
  for (std::size_t i = 0; i < values.size(); ++i)
    CAF_REQUIRE_EQUAL(std::bit_cast<std::uint32_t>((*back)[i]),
                      std::bit_cast<std::uint32_t>(values[i]));
}

CAF_TEST(damage_to_a_tensor_is_detected) {
  generator random{seed_of("tensor_damage", 7)};
  const std::vector<float> values(64, 1.5f);
  for (int i = 0; i < 2'000; ++i) {
    auto t = pack_f32(values, {8, 8});
    t.bytes[random.below(t.bytes.size())] ^= static_cast<char>(1 << random.below(8));
    CAF_REQUIRE(unpack_f32(t).error().code == codec_errc::bad_checksum);
  }
  const auto code = [&](auto change) {
    auto t = pack_f32(values, {8, 8});
    change(t);
    return unpack_f32(t).error().code;
  };
  CAF_CHECK(code([](auto& t) { t.shape = {8, 9}; }) == codec_errc::wrong_length);
  CAF_CHECK(code([](auto& t) { t.shape = {-8, -8}; }) == codec_errc::wrong_length);
  CAF_CHECK(code([](auto& t) { t.shape = {1 << 20, 1 << 20, 1 << 20}; }) == codec_errc::too_large);
  CAF_CHECK(code([](auto& t) { t.bytes.pop_back(); }) == codec_errc::wrong_length);
  CAF_CHECK(code([](auto& t) { t.dtype = static_cast<tensor_dtype>(77); })
            == codec_errc::unknown_value);
  CAF_CHECK(code([](auto& t) {
              t.dtype = tensor_dtype::u8;
              t.shape = {256};
            })
            == codec_errc::wrong_type);
}
