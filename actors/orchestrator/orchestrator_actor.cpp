#include "actors/orchestrator/orchestrator_actor.hpp"

#include "messages/json.hpp"
#include "runtime/log.hpp"
#include "storage/file.hpp"

namespace troupe {
namespace {

constexpr std::uint64_t most_memory_bytes = 16u << 20;

std::vector<instrument_id> instruments_of(const orchestrator_options& options) {
  std::vector<instrument_id> out;
  for (const auto& i : options.instruments)
    out.push_back(i.decide.spec.id);
  return out;
}

} // namespace

orchestrator_state::orchestrator_state(self_pointer self, actor_environment env,
                                       orchestrator_options options)
    : self_{self}, env_{env}, options_{std::move(options)}, quotes_{env, instruments_of(options_)} {
  for (const auto& i : options_.instruments)
    lines_.emplace(i.decide.spec.id,
                   line{.account = i.account, .decide = decider{i.decide}, .waiting = {}});
  for (auto& [id, l] : lines_) recall(id, l);
  declare_setting(self_, whole_setting(
                             "executor_timeout_ms",
                             "a decision counts as not taken after so long, milliseconds", 50, 60'000,
                             [this] { return options_.executor_timeout.count() / 1'000'000; },
                             [this](std::int64_t ms) { options_.executor_timeout = std::chrono::milliseconds{ms}; }));
}

orchestrator_state::~orchestrator_state() { keep(); }

orchestrator_actor::behavior_type orchestrator_state::make_behavior() {
  refresh();
  tick();
  keep_again();
  return {
      [this](const status_request&) {
        return status_report{self_->core().name(), status_json()};
      },
      [this](const prediction& p) {
        ++predictions_;
        const auto found = lines_.find(p.instrument);
        if (found == lines_.end()) {
          ++strangers_;
          return acknowledged{};
        }
        found->second.decide.on_prediction(p, env_.market->now());
        consider(found->second);
        return acknowledged{numbers_.last()};
      },
      [this](const quote& q) {
        quotes_.acknowledge(self_, q);
        if (const auto found = lines_.find(q.instrument); found != lines_.end())
          found->second.decide.on_quote(q, env_.market->now());
      },
  };
}

// --- what is kept --------------------------------------------------------------------------------

void orchestrator_state::recall(const instrument_id& id, line& l) {
  const auto file = options_.memory / id.text;
  const auto there = options_.memory.empty() ? result<bool>{false} : real_disk().exists(file);
  if (there && !*there) return;
  const auto bytes = there ? read_whole(real_disk(), file, most_memory_bytes) : result<std::string>{there.error()};
  const auto memory = bytes ? decode_memory(*bytes) : result<decider_memory>{bytes.error()};
  if (!memory) {
    log::error("orchestrator", "begins to learn anew: " + memory.error().message(), {{"file", file.string()}});
    return;
  }
  l.decide.recall(*memory, env_.market->now());
  l.kept = l.decide.memory();
}

void orchestrator_state::keep() {
  if (options_.memory.empty()) return;
  for (auto& [id, l] : lines_) {
    auto memory = l.decide.memory();
    if (memory == l.kept) continue;
    const auto file = options_.memory / id.text;
    auto done = real_disk().create_directories(options_.memory);
    if (done) done = replace_file(real_disk(), file, encode_memory(memory));
    if (done) l.kept = std::move(memory);
    else if (not_kept_++ == 0)
      log::error("orchestrator", "what it learned is not kept: " + done.error().message(), {{"file", file.string()}});
  }
}

void orchestrator_state::keep_again() {
  schedule(self_, options_.keep_every, [this] {
    keep();
    keep_again();
  });
}

// --- turning -------------------------------------------------------------------------------------

void orchestrator_state::refresh() {
  quotes_.refresh(self_);
  schedule(self_, std::chrono::milliseconds{500}, [this] { refresh(); });
}

void orchestrator_state::tick() {
  for (auto& [id, l] : lines_)
    consider(l);
  schedule(self_, options_.tick, [this] { tick(); });
}

void orchestrator_state::consider(line& l) {
  if (auto d = l.decide.take(env_.market->now(), numbers_)) {
    if (l.waiting) ++l.replaced;
    l.waiting = std::move(*d);
  }
  if (l.waiting && !l.on_its_way) send(l);
}

void orchestrator_state::send(line& l) {
  const auto executor = env_.names->find<executor_actor>("executor/" + l.account.text);
  if (!executor) return; // it waits, the newest only, until there is one
  l.on_its_way = true;
  ++l.sent;
  auto d = *l.waiting;
  l.waiting.reset();
  ask(self_, executor, options_.executor_timeout, d)
      .then(
          [this, &l, d](const acknowledged& newest) {
            l.on_its_way = false;
            if (newest.sequence <= d.sequence) return;
            // The executor knows higher numbers from an earlier life of ours: go on above them.
            numbers_.at_least(newest.sequence);
            if (l.waiting) return;
            auto again = d;
            again.sequence = numbers_.next(env_.market->now());
            l.waiting = std::move(again);
          },
          [&l, d](const error&) {
            l.on_its_way = false;
            ++l.failed;
            if (!l.waiting) l.waiting = d; // a repeated number is ignored there if it had arrived
          });
}

std::string orchestrator_state::status_json() const {
  json_writer w;
  std::uint64_t decisions = 0;
  for (const auto& [id, l] : lines_)
    decisions += l.decide.decisions();
  w.begin_object().field("decisions", decisions).field("last_sequence", numbers_.last());
  w.field("predictions", predictions_).field("predictions_of_others", strangers_).field("not_kept", not_kept_);
  w.key("instruments").begin_array();
  for (const auto& [id, l] : lines_) {
    const auto& signal = l.decide.last_signal();
    w.begin_object().field("instrument", id.text).field("account", l.account.text);
    w.field("decisions", l.decide.decisions()).field("abstained", l.decide.abstained());
    w.field("sent", l.sent).field("replaced", l.replaced).field("failed", l.failed);
    const auto& target = l.decide.target();
    w.field("target", target ? format_decimal_short(target->raw, l.decide.spec().size_scale) : "");
    w.field("score_ppm", signal.score_ppm);
    w.field("abstains", signal.abstains).field("reason", signal.reason);
    w.key("weights").begin_object();
    for (const auto over : all_horizons) {
      w.key(name_of(over)).number(l.decide.fused().weights()[static_cast<std::size_t>(over)], 4);
    }
    w.end_object().key("scored").begin_object();
    for (const auto over : all_horizons)
      w.field(name_of(over), l.decide.fused().scored()[static_cast<std::size_t>(over)]);
    w.end_object().end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
