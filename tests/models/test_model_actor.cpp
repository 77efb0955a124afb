#define CAF_SUITE model_actor
#include <caf/test/unit_test.hpp>

#include "actors/models/digest.hpp"
#include "actors/models/model_actor.hpp"
#include "messages/operator_fault.hpp"
#include "tests/models/actor_world.hpp"
#include "tests/models/planted.hpp"

#include <cstring>
#include <fstream>
#include <future>
#include <limits>

using namespace troupe;
using namespace troupe::testing;

namespace {

model_actor_options options_in(const std::filesystem::path& folder) {
  model_actor_options o;
  o.network = small_network();
  o.checkpoints = folder / "model";
  return o;
}

model_actor start(actor_world& w) {
  return spawn_actor<model_state>(w.system, {.name = "model/cnn", .detached = true}, w.env,
                                  options_in(w.folder));
}

checkpoint make(std::uint64_t seed, std::uint64_t step) {
  const auto o = small_network();
  auto file = make_network(o, seed)->weights();
  checkpoint out;
  out.weights = write_safetensors(file);
  out.manifest.version = {o.model, step, content_hash(out.weights)};
  out.manifest.frame_schema = o.frame_schema;
  out.manifest.architecture = architecture_of(o);
  out.manifest.bytes = out.weights.size();
  return out;
}

result<checkpoint_receipt> push(actor_world& w, const model_actor& model, const checkpoint& what,
                                std::size_t piece = 3000) {
  result<checkpoint_receipt> receipt = checkpoint_receipt{};
  for (std::size_t at = 0; at < what.weights.size(); at += piece) {
    receipt = w.ask_now<checkpoint_receipt>(
        model, checkpoint_chunk{what.manifest, at, what.weights.substr(at, piece)});
    if (!receipt) return receipt;
  }
  return receipt;
}

result<acknowledged> activate(actor_world& w, const model_actor& model, const std::string& weights) {
  return w.ask_now<acknowledged>(model, checkpoint_activate{"cnn", weights});
}

inference_request request(std::uint64_t sequence) {
  return {"cnn", planted_row(small_network(), sequence).frame};
}

} // namespace

CAF_TEST(without weights it answers an error) {
  actor_world w;
  const auto model = start(w);
  const auto answer = w.ask_now<inference_answer>(model, request(1));
  CAF_REQUIRE(!answer);
  CAF_CHECK(answer.error().code == make_error_code(model_errc::no_weights));
  CAF_CHECK(!activate(w, model, std::string(64, 'a')));
  send_shutdown(model);
}

CAF_TEST(it serves what it was given and keeps it over a restart) {
  actor_world w;
  auto model = start(w);
  const auto a = make(1, 0);
  const auto b = make(2, 40);
  auto receipt = push(w, model, a);
  CAF_REQUIRE(receipt);
  CAF_CHECK(receipt->complete);
  CAF_REQUIRE(activate(w, model, a.manifest.version.weights));
  auto answer = w.ask_now<inference_answer>(model, request(1));
  CAF_REQUIRE(answer);
  CAF_CHECK(answer->version == a.manifest.version);
  CAF_REQUIRE_EQUAL(answer->forecasts.size(), 4u);
  for (const auto& f : answer->forecasts) CAF_CHECK_EQUAL(f.down_ppm + f.flat_ppm + f.up_ppm, 1'000'000);
  // The same numbers as the network gives by itself.
  const auto features = frame_features(request(1).frame, small_network());
  const auto direct = make_network(small_network(), 1)->forward(*features, 1);
  CAF_CHECK(answer->forecasts[2] == to_forecast((*direct)[0][2], horizon::m15));

  CAF_REQUIRE(push(w, model, b));
  answer = w.ask_now<inference_answer>(model, request(1));
  CAF_CHECK(answer->version == a.manifest.version); // complete is not active
  CAF_REQUIRE(activate(w, model, b.manifest.version.weights));
  CAF_CHECK(w.ask_now<inference_answer>(model, request(1))->version == b.manifest.version);

  w.kill(model);
  model = start(w);
  CAF_CHECK(w.ask_now<inference_answer>(model, request(1))->version == b.manifest.version);
  w.kill(model);
  // Damage on disk: the newest is refused, the one before serves.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(w.folder / "model"))
    if (entry.path().filename() == "weights.safetensors"
        && entry.path().parent_path().filename().string().find(b.manifest.version.weights.substr(0, 12))
               != std::string::npos) {
      std::fstream file{entry.path(), std::ios::in | std::ios::out | std::ios::binary};
      file.seekp(-1, std::ios::end);
      file.put('x');
    }
  model = start(w);
  CAF_CHECK(w.ask_now<inference_answer>(model, request(1))->version == a.manifest.version);
  send_shutdown(model);
}

CAF_TEST(a refused checkpoint leaves the last good one) {
  actor_world w;
  const auto model = start(w);
  const auto good = make(1, 0);
  CAF_REQUIRE(push(w, model, good));
  CAF_REQUIRE(activate(w, model, good.manifest.version.weights));

  auto nan = make(2, 9);
  const auto bad = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(nan.weights.data() + nan.weights.size() - sizeof bad, &bad, sizeof bad);
  nan.manifest.version.weights = content_hash(nan.weights);
  CAF_REQUIRE(push(w, model, nan)); // whole and its hash is right, but it is not usable
  const auto refused = activate(w, model, nan.manifest.version.weights);
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == make_error_code(model_errc::not_finite));

  auto foreign = make(3, 10);
  foreign.manifest.architecture = "cnn schema=1 channels=99 steps=8 width=8 blocks=1";
  CAF_CHECK(!push(w, model, foreign));
  auto damaged = make(4, 11);
  damaged.weights.back() ^= 1;
  CAF_CHECK(!push(w, model, damaged));
  CAF_CHECK(!activate(w, model, damaged.manifest.version.weights));

  auto r = request(1);
  r.frame.schema = 77;
  CAF_CHECK(w.ask_now<inference_answer>(model, r).error().code == make_error_code(model_errc::wrong_frame));
  r = request(1);
  r.model = "transformer";
  CAF_CHECK(!w.ask_now<inference_answer>(model, r));
  CAF_CHECK(w.ask_now<inference_answer>(model, request(1))->version == good.manifest.version);
  const auto status = w.ask_now<status_report>(model, status_request{});
  CAF_REQUIRE(status);
  CAF_CHECK_EQUAL(number_of(status->json, "refused_checkpoints"), 2u);
  CAF_CHECK_EQUAL(number_of(status->json, "refused_frames"), 1u);
  CAF_CHECK_EQUAL(field_of(status->json, "serving"), good.manifest.version.weights);
  send_shutdown(model);
}

CAF_TEST(checkpoints that are all of another shape end it for a person to mend) {
  actor_world w;
  auto model = start(w);
  CAF_REQUIRE(push(w, model, make(1, 0)));
  CAF_REQUIRE(push(w, model, make(2, 40)));
  w.kill(model);
  auto wider = options_in(w.folder);
  wider.network.width *= 2;
  caf::scoped_actor self{w.system};
  auto other = spawn_actor<model_state>(w.system, {.name = "model/cnn", .detached = true}, w.env, wider);
  self->monitor(other);
  troupe::error why;
  self->receive([&](caf::down_msg& down) { why = from_caf(down.reason); });
  CAF_CHECK(is_for_operator(why));
  CAF_CHECK(why.text.find("move that folder away") != std::string::npos);
  model = start(w); // the right shape still finds its checkpoints
  CAF_CHECK(w.ask_now<inference_answer>(model, request(1)).has_value());
  send_shutdown(model);
}

CAF_TEST(concurrent requests are batched and survive a swap) {
  actor_world w;
  const auto model = start(w);
  const auto a = make(1, 0);
  const auto b = make(2, 40);
  CAF_REQUIRE(push(w, model, a));
  CAF_REQUIRE(push(w, model, b));
  CAF_REQUIRE(activate(w, model, a.manifest.version.weights));
  constexpr int callers = 32;
  constexpr int questions = 50;
  struct tally {
    std::promise<void> done;
    std::atomic<int> by_a{0};
    std::atomic<int> by_b{0};
    std::atomic<int> failed{0};
    std::atomic<int> open{callers * questions};
  } count;
  const auto settle = [&] {
    if (--count.open == 0) count.done.set_value();
  };
  for (int c = 0; c < callers; ++c)
    w.system.spawn([&, c](caf::event_based_actor* self) {
      for (int q = 0; q < questions; ++q)
        self->request(model, std::chrono::seconds{30},
                      request(static_cast<std::uint64_t>(c * questions + q + 1)))
            .then(
                [&](const inference_answer& answer) {
                  ++(answer.version == a.manifest.version ? count.by_a : count.by_b);
                  settle();
                },
                [&](const caf::error&) {
                  ++count.failed;
                  settle();
                });
    });
  CAF_CHECK(activate(w, model, b.manifest.version.weights));
  count.done.get_future().wait();
  CAF_CHECK_EQUAL(count.failed.load(), 0);
  CAF_CHECK_EQUAL(count.by_a.load() + count.by_b.load(), callers * questions);
  CAF_CHECK(w.ask_now<inference_answer>(model, request(1))->version == b.manifest.version);
  const auto status = w.ask_now<status_report>(model, status_request{});
  CAF_MESSAGE(status->json);
  CAF_CHECK(std::strtod(field_of(status->json, "mean_batch").c_str(), nullptr) > 2.0);
  send_shutdown(model);
}
