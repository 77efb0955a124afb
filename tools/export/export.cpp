#include "tools/export/export.hpp"

#include "messages/json.hpp"
#include "storage/file.hpp"
#include "tools/export/market_csv.hpp"
#include "tools/json_view.hpp"

#include <openssl/evp.h>

#include <charconv>
#include <fstream>
#include <ostream>
#include <sstream>

namespace troupe {
namespace {

constexpr std::uint32_t rows_per_read = 2000;
constexpr std::uint64_t most_verified_bytes = std::uint64_t{8} << 30;

/// Counts and hashes what it writes.
class hashed_output {
public:
  explicit hashed_output(std::ostream& to) : to_{to}, hash_{EVP_MD_CTX_new(), EVP_MD_CTX_free} {
    EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr);
  }
  bool write(const std::string& text) {
    bytes_ += text.size();
    EVP_DigestUpdate(hash_.get(), text.data(), text.size());
    return static_cast<bool>(to_.write(text.data(), static_cast<std::streamsize>(text.size())));
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(hash_.get(), digest.data(), &length);
    std::string out;
    for (unsigned i = 0; i < length; ++i) {
      out += "0123456789abcdef"[digest[i] >> 4];
      out += "0123456789abcdef"[digest[i] & 15];
    }
    return out;
  }

private:
  std::ostream& to_;
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash_;
  std::uint64_t bytes_ = 0;
};

error write_failed(const std::filesystem::path& where) {
  return {make_error_code(storage_errc::io_failed), where.string() + " can't be written; is the disk full?"};
}

result<std::uint64_t> write_bars(const export_options& options, const export_source& source,
                                 hashed_output& out) {
  std::uint64_t rows = 0;
  bar_range next{options.spec.id, options.interval, options.from, options.to, rows_per_read};
  for (bool more = true; more;) {
    const auto page = source.bars(next);
    if (!page) return page.error();
    for (const auto& b : page->bars)
      if (!out.write(csv::bar_row(b, options.spec.price_scale, options.spec.size_scale)))
        return write_failed(options.out);
    rows += page->bars.size();
    more = page->more && !page->bars.empty();
    if (more) next.from = page->bars.back().open_time + nanoseconds{1};
  }
  return rows;
}

result<std::uint64_t> write_features(const export_options& options, const export_source& source,
                                     hashed_output& out, std::uint64_t& refused) {
  csv::feature_rows rows;
  bool good = true;
  auto done = source.frames([&](const feature_frame& frame) {
    good = out.write(rows.add(frame, options.from, options.to)) && good;
  });
  if (!done) return std::move(done).error();
  if (!good) return write_failed(options.out);
  refused = rows.refused();
  return rows.rows();
}

std::string manifest_text(const export_options& options, const export_source& source,
                          const export_figures& figures) {
  const bool bars = options.what == export_kind::bars;
  json_writer w;
  w.begin_object()
      .field("format", "troupe-csv")
      .field("version", 1)
      .field("what", bars ? "bars" : "features");
  w.field("file", options.out.filename().string())
      .field("instrument", std::string_view{options.spec.id.text});
  if (bars) w.field("interval", csv::interval_name(options.interval));
  w.field("from_ns", options.from.ns)
      .field("to_ns", options.to.ns)
      .field("source", std::string_view{source.name});
  const auto header = bars ? csv::bar_header() : csv::feature_header();
  w.field("columns", header.substr(0, header.size() - 2))
      .field("rows", figures.rows)
      .field("bytes", figures.bytes);
  w.field("frames_refused", figures.refused).field("sha256", std::string_view{figures.sha256}).end_object();
  return std::move(w).text() + "\n";
}

std::filesystem::path manifest_of(const std::filesystem::path& file) {
  return file.string() + ".manifest.json";
}

} // namespace

result<export_figures> export_csv(const export_options& options, const export_source& source,
                                  std::ostream& standard_output) {
  const bool bars = options.what == export_kind::bars;
  if (bars ? !source.bars : !source.frames)
    return error{make_error_code(storage_errc::bad_input),
                 source.name + " has no " + (bars ? "bars" : "features")};
  const bool to_file = options.out != "-";
  // A reader must never meet half an export under its name.
  const auto half = std::filesystem::path{options.out.string() + ".part"};
  std::ofstream file;
  if (to_file) {
    file.open(half, std::ios::binary | std::ios::trunc);
    if (!file) return write_failed(half);
  }
  hashed_output out{to_file ? static_cast<std::ostream&>(file) : standard_output};
  export_figures figures;
  if (!out.write(bars ? csv::bar_header() : csv::feature_header())) return write_failed(options.out);
  const auto rows =
      bars ? write_bars(options, source, out) : write_features(options, source, out, figures.refused);
  if (!rows) {
    std::error_code ignored;
    if (to_file) std::filesystem::remove(half, ignored);
    return rows.error();
  }
  figures.rows = *rows;
  figures.bytes = out.bytes();
  figures.sha256 = out.hex();
  if (!to_file) return figures;
  file.close();
  std::error_code failed;
  if (file) std::filesystem::rename(half, options.out, failed);
  if (!file || failed) return write_failed(options.out);
  if (auto kept =
          replace_file(real_disk(), manifest_of(options.out), manifest_text(options, source, figures));
      !kept)
    return std::move(kept).error();
  return figures;
}

status verify_export(const std::filesystem::path& file) {
  const auto manifest = read_whole(real_disk(), manifest_of(file), 1u << 20);
  if (!manifest) return manifest.error();
  const auto view = json_view::parse(*manifest);
  if (view.text("format") != "troupe-csv" || view.integer("version") != 1)
    return {storage_errc::wrong_format, manifest_of(file).string() + " is no manifest of an export"};
  const auto content = read_whole(real_disk(), file, most_verified_bytes);
  if (!content) return content.error();
  std::ostringstream nowhere;
  hashed_output again{nowhere};
  again.write(*content);
  if (static_cast<std::int64_t>(content->size()) != view.integer("bytes")
      || again.hex() != view.text("sha256"))
    return {storage_errc::damaged,
            file.string() + " is not the file of its manifest: size or SHA-256 differ; export it anew"};
  return ok;
}

status frames_of_training(const instrument_id& instrument,
                          const std::function<result<training_batch>(const training_pull&)>& pull,
                          const std::function<void(const feature_frame&)>& take) {
  // The stream is in order of maturing: the horizons of one instant come apart. One horizon has each frame
  // once, in order of time.
  training_pull next{0, 256};
  while (true) {
    const auto batch = pull(next);
    if (!batch) return batch.error();
    for (const auto& row : batch->rows) {
      next.after = std::max(next.after, row.training_sequence);
      if (row.what.instrument == instrument && row.what.over == horizon::m1) take(row.frame);
    }
    if (batch->rows.empty() || next.after >= batch->newest) return ok;
  }
}

result<market_time> parse_utc(std::string_view text) {
  const error bad{make_error_code(storage_errc::bad_input),
                  "'" + std::string{text}
                      + "' is no time; write 2024-08-08, 2024-08-08T23:54:00Z or nanoseconds since 1970"};
  if (text.find('-') == std::string_view::npos) {
    const auto ns = parse_decimal(text, 0);
    return ns ? result<market_time>{market_time{*ns}} : result<market_time>{bad};
  }
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const std::string owned{text};
  const auto found = std::sscanf(owned.c_str(), "%4d-%2d-%2d%nT%2d:%2d:%2dZ%n", &year, &month, &day, &used,
                                 &hour, &minute, &second, &used);
  const bool whole = static_cast<std::size_t>(used) == text.size() && (found == 3 || found == 6);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!whole || !date.ok() || year < 1970 || year > 2261 || hour > 23 || minute > 59 || second > 59)
    return bad;
  const auto days = std::chrono::sys_days{date}.time_since_epoch();
  const nanoseconds at =
      days + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
  return market_time{at.count()};
}

} // namespace troupe
