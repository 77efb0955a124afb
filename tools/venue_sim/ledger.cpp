#include "tools/venue_sim/ledger.hpp"

#include "messages/json.hpp"

#include <simdjson.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <xxhash.h>

namespace troupe::venue_sim {
namespace {

constexpr std::string_view magic = "troupe-venue-ledger";
constexpr std::int64_t version = 1;
constexpr std::size_t checksum_digits = 16;

class category_type final : public std::error_category {
  const char* name() const noexcept override { return "venue simulator"; }
  std::string message(int value) const override {
    switch (static_cast<venue_sim_errc>(value)) {
    case venue_sim_errc::bad_recording:
      return "unusable recording";
    case venue_sim_errc::bad_ledger:
      return "damaged ledger";
    case venue_sim_errc::ledger_io:
      return "ledger can't be read or written";
    case venue_sim_errc::bad_option:
      return "unusable option";
    case venue_sim_errc::network:
      return "network";
    }
    return "unknown";
  }
};

std::string checksum(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  auto value = XXH64(text.data(), text.size(), 0);
  std::string out(checksum_digits, '0');
  for (auto it = out.rbegin(); it != out.rend(); ++it, value >>= 4)
    *it = digits[value & 15];
  return out;
}

error io_error(const std::filesystem::path& file, const char* what) {
  return {make_error_code(venue_sim_errc::ledger_io),
          file.string() + ": " + what + ": " + std::strerror(errno)};
}

std::string_view word(ledger_side s) {
  return s == ledger_side::buy ? "buy" : "sell";
}

using simdjson::dom::element;

/// Reads the fields of one record; `fine` turns false when one is missing or of another type.
struct record_reader {
  element from;
  bool fine = true;

  void operator()(const char* name, std::int64_t& out) {
    fine = from[name].get(out) == simdjson::SUCCESS && fine;
  }
  void operator()(const char* name, int& out) {
    std::int64_t wide = 0;
    (*this)(name, wide);
    out = static_cast<int>(wide);
  }
  void operator()(const char* name, bool& out) { fine = from[name].get(out) == simdjson::SUCCESS && fine; }
  void operator()(const char* name, std::string& out) {
    std::string_view text;
    fine = from[name].get(text) == simdjson::SUCCESS && fine;
    out = text;
  }
  void operator()(const char* name, ledger_side& out) {
    std::string text;
    (*this)(name, text);
    fine = fine && (text == "buy" || text == "sell");
    out = text == "sell" ? ledger_side::sell : ledger_side::buy;
  }
};

/// Writes the same fields.
struct record_writer {
  json_writer& to;
  void operator()(const char* name, std::int64_t x) { to.field(name, x); }
  void operator()(const char* name, int x) { to.field(name, x); }
  void operator()(const char* name, bool x) { to.field(name, x); }
  void operator()(const char* name, const std::string& x) { to.field(name, x); }
  void operator()(const char* name, ledger_side x) { to.field(name, word(x)); }
};

/// One list of fields per record, for both directions.
template <class F, class T>
requires std::same_as<std::remove_const_t<T>, ledger_order>
void fields_of(F&& f, T& x) {
  f("order", x.order_id), f("client", x.client_order_id), f("symbol", x.symbol), f("side", x.side);
  f("type", x.type), f("tif", x.time_in_force), f("price", x.price_e8), f("quantity", x.quantity_e8);
  f("quote_quantity", x.quote_quantity_e8), f("market", x.market_ns), f("steady", x.steady_ns);
}
template <class F, class T>
requires std::same_as<std::remove_const_t<T>, ledger_fill>
void fields_of(F&& f, T& x) {
  f("trade", x.trade_id), f("order", x.order_id), f("client", x.client_order_id), f("symbol", x.symbol);
  f("side", x.side), f("price", x.price_e8), f("quantity", x.quantity_e8), f("quote", x.quote_e8);
  f("commission", x.commission_e8), f("commission_asset", x.commission_asset), f("maker", x.maker);
  f("rule", x.rule), f("market", x.market_ns);
}
template <class F, class T>
requires std::same_as<std::remove_const_t<T>, ledger_end>
void fields_of(F&& f, T& x) {
  f("order", x.order_id), f("client", x.client_order_id), f("how", x.how), f("request", x.request_client_id);
  f("market", x.market_ns);
}
template <class F, class T>
requires std::same_as<std::remove_const_t<T>, ledger_refusal>
void fields_of(F&& f, T& x) {
  f("client", x.client_order_id), f("code", x.code), f("market", x.market_ns);
}

template <class T>
bool read_into(record_reader& in, std::vector<T>& out) {
  T x;
  fields_of(in, x);
  if (in.fine) out.push_back(std::move(x));
  return in.fine;
}

template <class T>
std::string record_text(const char* kind, std::uint64_t number, const T& x) {
  json_writer w;
  w.begin_object().field("k", kind).field("n", number);
  fields_of(record_writer{w}, x);
  w.end_object();
  return std::move(w).text();
}

bool read_head(record_reader& in, ledger_content& out) {
  std::int64_t written_version = 0;
  in("version", written_version);
  in("base", out.opening_base_e8);
  in("quote", out.opening_quote_e8);
  return in.fine && written_version == version;
}

/// One intact line into the content; false when it isn't the record that must follow.
bool read_record(std::string_view json, simdjson::dom::parser& parser, ledger_content& out) {
  record_reader in{};
  if (parser.parse(json.data(), json.size()).get(in.from) != simdjson::SUCCESS) return false;
  std::string kind;
  std::int64_t number = -1;
  in("k", kind);
  in("n", number);
  if (!in.fine || number != static_cast<std::int64_t>(out.next_record)) return false;
  if ((kind == magic) != (number == 0)) return false;
  bool fine = false;
  if (kind == magic)
    fine = read_head(in, out);
  else if (kind == "fill")
    fine = read_into(in, out.fills);
  else if (kind == "end")
    fine = read_into(in, out.ends);
  else if (kind == "refusal")
    fine = read_into(in, out.refusals);
  else if (kind == "order") {
    fine = read_into(in, out.orders);
    if (fine) out.by_client_id[out.orders.back().client_order_id].push_back(out.orders.back().order_id);
  }
  if (fine) ++out.next_record;
  return fine;
}

bool checksum_fits(std::string_view line) {
  return line.size() > checksum_digits && line[checksum_digits] == ' '
         && checksum(line.substr(checksum_digits + 1)) == line.substr(0, checksum_digits);
}

} // namespace

std::error_code make_error_code(venue_sim_errc code) noexcept {
  static const category_type category;
  return {static_cast<int>(code), category};
}

std::vector<std::string> ledger_content::duplicated_client_ids() const {
  std::vector<std::string> out;
  for (const auto& [id, found] : by_client_id)
    if (found.size() > 1) out.push_back(id);
  return out;
}

result<ledger_content> parse_ledger(std::string_view text, const std::string& name) {
  ledger_content out;
  simdjson::dom::parser parser;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    if (end == text.npos) break;
    const auto line = text.substr(at, end - at);
    if (!checksum_fits(line) || !read_record(line.substr(checksum_digits + 1), parser, out)) {
      // Only the last line may be torn: a crash can leave a hole there, nowhere else.
      if (end + 1 == text.size() && out.next_record > 0) break;
      return {venue_sim_errc::bad_ledger, name + ": damaged record at byte " + std::to_string(at)
                                              + "; keep the file and start with an empty folder"};
    }
    at = end + 1;
  }
  if (out.next_record == 0 && !text.empty())
    return {venue_sim_errc::bad_ledger, name + ": no ledger head at byte 0"};
  out.good_bytes = at;
  out.torn_bytes = text.size() - at;
  return out;
}

result<ledger_content> read_ledger(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return io_error(file, "can't be opened");
  std::stringstream all;
  all << in.rdbuf();
  return parse_ledger(all.view(), file.string());
}

ledger_writer::ledger_writer(int fd, std::filesystem::path file, std::uint64_t next)
    : fd_{fd}, file_{std::move(file)}, next_{next} {}

ledger_writer::ledger_writer(ledger_writer&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, file_{std::move(other.file_)}, pending_{std::move(other.pending_)},
      next_{other.next_}, failed_{other.failed_} {}

ledger_writer& ledger_writer::operator=(ledger_writer&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(file_, other.file_);
  std::swap(pending_, other.pending_);
  std::swap(next_, other.next_);
  std::swap(failed_, other.failed_);
  return *this;
}

ledger_writer::~ledger_writer() {
  if (fd_ >= 0) ::close(fd_);
}

result<ledger_writer> ledger_writer::open(const std::filesystem::path& file, std::int64_t opening_base_e8,
                                          std::int64_t opening_quote_e8, ledger_content& found) {
  found = {};
  found.opening_base_e8 = opening_base_e8;
  found.opening_quote_e8 = opening_quote_e8;
  std::error_code code;
  const bool exists = std::filesystem::exists(file, code);
  if (exists) {
    auto content = read_ledger(file);
    if (!content) return content.error();
    if (content->next_record > 0) found = std::move(*content);
  }
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return io_error(file, "can't be opened for writing");
  ledger_writer made{fd, file, found.next_record};
  if (::ftruncate(fd, static_cast<off_t>(found.good_bytes)) != 0 || ::lseek(fd, 0, SEEK_END) < 0)
    return io_error(file, "can't be cut behind its last good record");
  if (found.next_record > 0) return made;
  json_writer w;
  w.begin_object().field("k", magic).field("n", 0).field("version", version);
  w.field("base", opening_base_e8).field("quote", opening_quote_e8).end_object();
  made.add_line(std::move(w).text());
  if (auto done = made.commit(); !done) return done.error();
  found.next_record = made.next_;
  const int folder =
      ::open(file.parent_path().empty() ? "." : file.parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!synced) return io_error(file, "its folder can't be synced");
  return made;
}

void ledger_writer::add_line(std::string json) {
  pending_ += checksum(json);
  pending_ += ' ';
  pending_ += json;
  pending_ += '\n';
  ++next_;
}

void ledger_writer::add(const ledger_order& order) {
  add_line(record_text("order", next_, order));
}
void ledger_writer::add(const ledger_fill& fill) {
  add_line(record_text("fill", next_, fill));
}
void ledger_writer::add(const ledger_end& end) {
  add_line(record_text("end", next_, end));
}
void ledger_writer::add(const ledger_refusal& refusal) {
  add_line(record_text("refusal", next_, refusal));
}

status ledger_writer::commit() {
  if (failed_)
    return {venue_sim_errc::ledger_io,
            file_.string() + ": an earlier write failed; nothing is written after it"};
  if (pending_.empty()) return ok;
  failed_ = true; // until proven otherwise: a failed sync is never repeated
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const auto written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_error(file_, "write failed");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(fd_) != 0) return io_error(file_, "fdatasync failed");
  pending_.clear();
  failed_ = false;
  return ok;
}

} // namespace troupe::venue_sim
