#pragma once

/// Frames, predictions, snapshots, outcomes and checkpoints: what models see, say and learn from.

#include "messages/market.hpp"

namespace troupe {

/// Number type of a packed tensor.
enum class tensor_dtype : std::uint8_t { f32, f64, i64, u8 };

/// A tensor as packed little-endian bytes: the only way numbers of models cross nodes.
/// Read and written through `messages/tensor.hpp`, which checks dtype, shape, length and checksum.
struct packed_tensor {
  tensor_dtype dtype = tensor_dtype::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t checksum = 0;
  std::string bytes;

  TROUPE_FIELDS(packed_tensor, "A tensor as packed bytes.", TROUPE_FIELD(dtype, "number type"),
                TROUPE_FIELD(shape, "dimensions, outermost first"),
                TROUPE_FIELD(checksum, "XXH3-64 of bytes"),
                TROUPE_FIELD(bytes, "little-endian, C order, no padding"))
};

/// The prediction horizons.
enum class horizon : std::uint8_t { m1, m5, m15, m60 };
inline constexpr std::array<horizon, 4> all_horizons{horizon::m1, horizon::m5, horizon::m15, horizon::m60};

constexpr nanoseconds length_of(horizon h) noexcept {
  using std::chrono::minutes;
  switch (h) {
  case horizon::m1: return minutes{1};
  case horizon::m5: return minutes{5};
  case horizon::m15: return minutes{15};
  case horizon::m60: return minutes{60};
  }
  return {};
}

constexpr std::string_view name_of(horizon h) noexcept {
  switch (h) {
  case horizon::m1: return "1m";
  case horizon::m5: return "5m";
  case horizon::m15: return "15m";
  case horizon::m60: return "60m";
  }
  return "?";
}

/// Everything a model sees at one instant. Nothing in it is from after `at`.
struct feature_frame {
  instrument_id instrument;
  market_time at;
  std::uint32_t schema = 0;
  std::uint64_t book_sequence = 0;
  book_validity validity = book_validity::empty;
  level bid;
  level ask;
  packed_tensor features;

  TROUPE_FIELDS(feature_frame, "Everything a model sees at one instant.",
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(at, "the frame's instant"),
                TROUPE_FIELD(schema, "version of the feature list (actors/feeds/features.hpp)"),
                TROUPE_FIELD(book_sequence, "venue sequence number of the book it was taken from"),
                TROUPE_FIELD(validity, "state of the book at that instant"),
                TROUPE_FIELD(bid, "best bid"), TROUPE_FIELD(ask, "best ask"),
                TROUPE_FIELD(features, "f32 [channels, steps], newest step last"))
};

/// Direction probabilities and expected return in fixed point: no floats between nodes.
struct forecast {
  std::int32_t down_ppm = 0;
  std::int32_t flat_ppm = 0;
  std::int32_t up_ppm = 0;
  std::int64_t return_e9 = 0;

  TROUPE_FIELDS(forecast, "What a model expects over one horizon.",
                TROUPE_FIELD(down_ppm, "probability of down, millionths"),
                TROUPE_FIELD(flat_ppm, "probability of flat, millionths"),
                TROUPE_FIELD(up_ppm, "probability of up, millionths"),
                TROUPE_FIELD(return_e9, "expected log return × 10^9"))
};

/// Which weights spoke.
struct model_version {
  std::string model;
  std::uint64_t step = 0;
  std::string weights;

  TROUPE_FIELDS(model_version, "Which weights spoke.", TROUPE_FIELD(model, "model name, \"cnn\""),
                TROUPE_FIELD(step, "training steps behind the weights"),
                TROUPE_FIELD(weights, "SHA-256 of the weights file, hex"))
};

struct inference_request {
  std::string model;
  feature_frame frame;

  TROUPE_FIELDS(inference_request, "Ask a model what it expects.", TROUPE_FIELD(model, "which model"),
                TROUPE_FIELD(frame, "what it may see"))
};

struct inference_answer {
  model_version version;
  std::vector<forecast> forecasts;

  TROUPE_FIELDS(inference_answer, "A model's answer.", TROUPE_FIELD(version, "who answered"),
                TROUPE_FIELD(forecasts, "one for each horizon, in the order of all_horizons"))
};

/// What a predictor said for one horizon at one instant. The id is "instrument/horizon/at_ns".
struct prediction {
  std::string id;
  instrument_id instrument;
  horizon over = horizon::m1;
  market_time at;
  market_time due;
  forecast said;
  model_version version;
  std::uint64_t book_sequence = 0;
  level bid;
  level ask;

  TROUPE_FIELDS(prediction, "What a predictor said.", TROUPE_FIELD(id, "unique: instrument/horizon/instant"),
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(over, "horizon"),
                TROUPE_FIELD(at, "instant of the frame"), TROUPE_FIELD(due, "when its outcome is known"),
                TROUPE_FIELD(said, "the forecast"), TROUPE_FIELD(version, "weights that spoke"),
                TROUPE_FIELD(book_sequence, "book the frame was taken from"),
                TROUPE_FIELD(bid, "best bid at the instant"), TROUPE_FIELD(ask, "best ask at the instant"))
};

/// How a snapshot's life went on once it was due.
enum class outcome_kind : std::uint8_t { pending, scored, seam, expired };

/// What happened after a prediction.
struct outcome {
  outcome_kind kind = outcome_kind::pending;
  market_time at;
  std::int64_t return_e9 = 0;
  std::int32_t brier_ppm = 0;
  std::uint8_t label = 0;
  bool late = false;
  std::string reason;

  TROUPE_FIELDS(outcome, "What happened after a prediction.",
                TROUPE_FIELD(kind, "pending, scored, seam (spans a seam of a looped tape: not scored) or expired"),
                TROUPE_FIELD(at, "market time of the observation"),
                TROUPE_FIELD(return_e9, "log return of the mid × 10^9"),
                TROUPE_FIELD(brier_ppm, "Brier score of the forecast, millionths"),
                TROUPE_FIELD(label, "0 down, 1 flat, 2 up"),
                TROUPE_FIELD(late, "matured later than due (node was down)"),
                TROUPE_FIELD(reason, "why it expired"))
};

/// A prediction stored with its frame, so that it can be trained on when due.
struct snapshot {
  prediction what;
  feature_frame frame;
  outcome then;
  std::uint64_t training_sequence = 0;

  TROUPE_FIELDS(snapshot, "A stored prediction with its frame.", TROUPE_FIELD(what, "the prediction"),
                TROUPE_FIELD(frame, "all the model saw"), TROUPE_FIELD(then, "the outcome, once due"),
                TROUPE_FIELD(training_sequence,
                             "place in the training stream, given once when scored; 0 = none"))
};

struct snapshot_put {
  snapshot what;
  TROUPE_FIELDS(snapshot_put, "Store a new snapshot; a known id is left as it is.",
                TROUPE_FIELD(what, "the snapshot"))
};

struct snapshot_mature {
  std::string id;
  outcome then;
  TROUPE_FIELDS(snapshot_mature, "Attach the outcome, once; a second outcome is refused.",
                TROUPE_FIELD(id, "prediction id"), TROUPE_FIELD(then, "the outcome"))
};

struct pending_request {
  instrument_id instrument;
  horizon over = horizon::m1;
  std::uint32_t limit = 0;
  std::string after;
  TROUPE_FIELDS(pending_request, "Which predictions have no outcome yet?",
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(over, "horizon"),
                TROUPE_FIELD(limit, "most rows in the answer"), TROUPE_FIELD(after, "page on after this id"))
};

struct prediction_list {
  std::vector<prediction> rows;
  bool more = false;
  TROUPE_FIELDS(prediction_list, "Predictions in order of time.", TROUPE_FIELD(rows, "rows"),
                TROUPE_FIELD(more, "true when a further page exists"))
};

struct training_pull {
  std::uint64_t after = 0;
  std::uint32_t limit = 0;
  TROUPE_FIELDS(training_pull, "The next matured snapshots of the training stream.",
                TROUPE_FIELD(after, "last training sequence the trainer has taken in"),
                TROUPE_FIELD(limit, "most rows in the answer"))
};

struct training_batch {
  std::vector<snapshot> rows;
  std::uint64_t newest = 0;
  TROUPE_FIELDS(training_batch, "Matured snapshots in order of training sequence.",
                TROUPE_FIELD(rows, "rows"), TROUPE_FIELD(newest, "newest sequence in the store"))
};

/// Counts of snapshots by horizon, in the order of all_horizons.
struct learning_counts {
  std::vector<std::uint64_t> made;
  std::vector<std::uint64_t> matured;
  std::vector<std::uint64_t> scored;
  std::vector<std::uint64_t> expired;
  TROUPE_FIELDS(learning_counts, "Counts of snapshots by horizon.", TROUPE_FIELD(made, "stored"),
                TROUPE_FIELD(matured, "due and given an outcome of any kind but expired"),
                TROUPE_FIELD(scored, "scored"), TROUPE_FIELD(expired, "due but without data, with a reason"))
};

/// One checkpoint of a model: manifest and where its effect ends in the training stream.
struct checkpoint_manifest {
  model_version version;
  std::string parent;
  std::uint32_t frame_schema = 0;
  std::string architecture;
  std::uint64_t trained_from = 0;
  std::uint64_t trained_to = 0;
  std::vector<std::uint64_t> trained_by_horizon;
  std::int64_t loss_e6 = 0;
  std::int64_t first_loss_e6 = 0;
  std::uint64_t loss_samples = 0;
  market_time created;
  std::uint64_t bytes = 0;

  TROUPE_FIELDS(checkpoint_manifest, "What is known of a checkpoint.", TROUPE_FIELD(version, "model, step, weights hash"),
                TROUPE_FIELD(parent, "weights hash of the checkpoint it was trained on from; empty = initial"),
                TROUPE_FIELD(frame_schema, "feature list it was trained on"),
                TROUPE_FIELD(architecture, "name and hyper-parameters"),
                TROUPE_FIELD(trained_from, "first training sequence not in the parent, exclusive bound"),
                TROUPE_FIELD(trained_to, "last training sequence whose effect is in the weights"),
                TROUPE_FIELD(trained_by_horizon, "scored labels trained on so far, by horizon, since the initial weights"),
                TROUPE_FIELD(loss_e6, "test-then-train loss × 10^6 over loss_samples newest, each unseen when scored"),
                TROUPE_FIELD(first_loss_e6, "loss × 10^6 of the initial weights on the same samples"),
                TROUPE_FIELD(loss_samples, "number of samples behind both losses"),
                TROUPE_FIELD(created, "market time of writing"), TROUPE_FIELD(bytes, "length of the weights file"))
};

/// A piece of a checkpoint on its way to a node, at most 256 KiB.
struct checkpoint_chunk {
  checkpoint_manifest manifest;
  std::uint64_t offset = 0;
  std::string bytes;
  TROUPE_FIELDS(checkpoint_chunk, "A piece of a checkpoint's weights file.",
                TROUPE_FIELD(manifest, "whose piece"), TROUPE_FIELD(offset, "where it belongs"),
                TROUPE_FIELD(bytes, "the piece"))
};

struct checkpoint_receipt {
  std::string weights;
  std::uint64_t received = 0;
  bool complete = false;
  TROUPE_FIELDS(checkpoint_receipt, "How much of a checkpoint has arrived.", TROUPE_FIELD(weights, "which"),
                TROUPE_FIELD(received, "bytes held"),
                TROUPE_FIELD(complete, "all bytes held and their SHA-256 is right"))
};

/// Serve these weights from now on: sent once every holder has a complete copy.
struct checkpoint_activate {
  std::string model;
  std::string weights;
  TROUPE_FIELDS(checkpoint_activate, "Serve these weights from now on.", TROUPE_FIELD(model, "model name"),
                TROUPE_FIELD(weights, "weights hash"))
};

} // namespace troupe
