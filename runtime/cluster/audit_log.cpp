#include "runtime/cluster/audit_log.hpp"

#include "messages/json.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::size_t hash_length = 64;
constexpr std::string_view seal_mark = ",\"hash\":\"";
constexpr std::string_view seal_end = "\"}";
/// No record is longer: texts of commands and outcomes are cut.
constexpr std::size_t longest_line = 256 * 1024;
constexpr std::size_t longest_field = 4096;

std::string zero_hash() {
  return std::string(hash_length, '0');
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < length; ++i) {
    out += hex[digest[i] >> 4];
    out += hex[digest[i] & 15];
  }
  return out;
}

/// What a sealed line says of its place.
struct sealed_line {
  std::uint64_t sequence = 0;
  std::string_view prev;
  std::string_view hash;
  std::string_view sealed; ///< the part the hash is of
};

/// Reads the frame that `append` writes: {"sequence":N,"prev":"…", …,"hash":"…"}.
std::optional<sealed_line> read_line(std::string_view line) {
  constexpr std::string_view start = "{\"sequence\":";
  constexpr std::string_view prev_mark = ",\"prev\":\"";
  sealed_line out;
  if (!line.starts_with(start) || !line.ends_with(seal_end)) return std::nullopt;
  const auto [end, why] =
      std::from_chars(line.data() + start.size(), line.data() + line.size(), out.sequence);
  if (why != std::errc{}) return std::nullopt;
  const auto rest = line.substr(static_cast<std::size_t>(end - line.data()));
  if (!rest.starts_with(prev_mark) || rest.size() < prev_mark.size() + hash_length) return std::nullopt;
  out.prev = rest.substr(prev_mark.size(), hash_length);
  const auto seal = seal_mark.size() + hash_length + seal_end.size();
  if (line.size() < seal) return std::nullopt;
  const auto at = line.size() - seal;
  if (line.substr(at, seal_mark.size()) != seal_mark) return std::nullopt;
  out.hash = line.substr(at + seal_mark.size(), hash_length);
  out.sealed = line.substr(0, at);
  return out;
}

error unwritable(const std::filesystem::path& file) {
  return {make_error_code(cluster_errc::unreadable),
          file.string() + ": " + std::strerror(errno) + "; the node's data directory must be writable"};
}

std::string cut(const std::string& text) {
  return text.size() <= longest_field ? text : text.substr(0, longest_field) + "…";
}

/// The file's end, enough for its last record and a torn line after it.
std::string read_tail(int fd, std::int64_t size) {
  const auto from = std::max<std::int64_t>(0, size - static_cast<std::int64_t>(2 * longest_line));
  std::string out(static_cast<std::size_t>(size - from), '\0');
  const auto got = ::pread(fd, out.data(), out.size(), from);
  out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return out;
}

std::string last_line(std::string_view text) {
  if (text.empty()) return {};
  const auto from = text.rfind('\n');
  return std::string{from == std::string_view::npos ? text : text.substr(from + 1)};
}

/// Releases the lock of the file at the end of a scope.
class file_lock {
public:
  explicit file_lock(int fd) : fd_{fd} {
    while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;
  ~file_lock() { ::flock(fd_, LOCK_UN); }

private:
  int fd_;
};

std::string torn_body(std::string_view torn) {
  json_writer w;
  w.begin_object()
      .field("event", "torn")
      .field("bytes", torn.size())
      .field("sha256", sha256(torn))
      .end_object();
  return std::move(w).text().substr(1);
}

bool accounts_for(std::string_view line, std::string_view torn) {
  return line.find("\"event\":\"torn\"") != std::string_view::npos
         && line.find("\"sha256\":\"" + sha256(torn) + "\"") != std::string_view::npos;
}

} // namespace

result<audit_log> audit_log::open(const std::filesystem::path& data) {
  audit_log out;
  out.file_ = data / "audit.log";
  out.fd_.reset(::open(out.file_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!out.fd_) return unwritable(out.file_);
  out.chain_.head = zero_hash();
  const file_lock lock{out.fd_.get()};
  if (auto read = out.catch_up(); !read) return std::move(read).error();
  return out;
}

/// Where the chain stands: another process may have written since. The lock is held.
status audit_log::catch_up() {
  struct stat facts {};
  if (::fstat(fd_.get(), &facts) != 0) return unwritable(file_);
  if (facts.st_size == size_) return ok;
  auto text = read_tail(fd_.get(), facts.st_size);
  std::string torn;
  if (!text.empty() && text.back() != '\n') {
    torn = last_line(text);
    text.resize(text.size() - torn.size());
  }
  if (!text.empty()) text.pop_back();
  if (text.empty()) {
    chain_ = {0, zero_hash()};
  } else if (const auto line = last_line(text); const auto found = read_line(line)) {
    chain_ = {found->sequence, std::string{found->hash}};
  } else {
    // Of an older version, or not ours: kept for people, no part of the chain.
    auto aside = file_;
    aside += ".unchained";
    if (::rename(file_.c_str(), aside.c_str()) != 0) return unwritable(file_);
    fd_.reset(::open(file_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    if (!fd_) return unwritable(file_);
    chain_ = {0, zero_hash()};
    size_ = 0;
    return ok;
  }
  size_ = facts.st_size;
  if (torn.empty()) return ok;
  if (::write(fd_.get(), "\n", 1) != 1) return unwritable(file_);
  return append(torn_body(torn));
}

/// `body`: the members of the record and its closing bracket. The lock is held.
status audit_log::append(std::string body) {
  auto line =
      "{\"sequence\":" + std::to_string(chain_.records + 1) + ",\"prev\":\"" + chain_.head + "\"," + body;
  line.pop_back();
  const auto hash = sha256(line);
  line += std::string{seal_mark} + hash + std::string{seal_end} + "\n";
  if (::write(fd_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    size_ = -1; // part of it may stand there: looked at before the next record
    return unwritable(file_);
  }
  chain_ = {chain_.records + 1, hash};
  struct stat facts {};
  if (::fstat(fd_.get(), &facts) != 0) return unwritable(file_);
  size_ = facts.st_size;
  return ok;
}

status audit_log::write(market_time at, const node_name& node, const admin_command& command,
                        const admin_result* outcome) {
  json_writer w;
  w.begin_object()
      .field("at_ns", at.ns)
      .field("node", node.text)
      .field("event", outcome ? "outcome" : "command");
  w.field("who", cut(command.who)).field("verb", cut(command.verb)).field("target", cut(command.target));
  w.key("arguments").begin_object();
  std::size_t shown = 0;
  for (const auto& [key, value] : command.arguments)
    if (shown++ < 8) w.field(key.substr(0, 100), value.substr(0, 1000));
  w.end_object();
  if (outcome) w.field("done", outcome->done).field("text", cut(outcome->text));
  w.end_object();
  const file_lock lock{fd_.get()};
  if (auto read = catch_up(); !read) return read;
  return append(std::move(w).text().substr(1));
}

result<audit_chain> verify_audit(std::string_view text, std::string_view head) {
  audit_chain out{0, zero_hash()};
  const auto bad = [](std::size_t line, const std::string& what) {
    return error{make_error_code(cluster_errc::unreadable), "line " + std::to_string(line) + " " + what};
  };
  std::size_t number = 0;
  std::string_view torn;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto read = read_line(line);
    if (!torn.empty() && (!read || !accounts_for(line, torn)))
      return bad(number - 1, "is damaged, and the record after it does not account for a crash");
    const bool intact = read && sha256(read->sealed) == read->hash;
    if (!intact && read)
      return bad(number, "was changed after it was written: its hash does not fit its text");
    if (!read) {
      if (text.empty() && end == std::string_view::npos)
        return bad(number, "is cut short: a crash, or somebody's hand");
      torn = line;
      if (text.empty() || torn.empty()) return bad(number, "is no record");
      continue;
    }
    torn = {};
    if (read->prev != out.head || read->sequence != out.records + 1)
      return bad(number, "does not follow the record before it: expected record "
                             + std::to_string(out.records + 1) + ", found " + std::to_string(read->sequence)
                             + "; records were removed, inserted or moved");
    out = {read->sequence, std::string{read->hash}};
  }
  if (!head.empty() && head != out.head)
    return bad(number, "is not the newest record: the chain ends with " + out.head + ", not with "
                           + std::string{head}
                           + "; records at the end were removed, or the other hash is older");
  return out;
}

} // namespace troupe
