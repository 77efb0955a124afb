#include "runtime/cluster/small_file.hpp"

#include "messages/fields.hpp"
#include "runtime/cluster/text.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::size_t most_bytes = 64u << 10;

class descriptor {
public:
  explicit descriptor(int fd) noexcept : fd_{fd} {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

private:
  int fd_;
};

/// Everything but the last line, whose checksum is right; nothing otherwise.
std::optional<std::string> checked(const std::string& text) {
  if (text.size() < 18 || text.back() != '\n') return std::nullopt;
  const auto sum = text.size() - 17;
  if (text[sum - 1] != '\n' || text.compare(sum, 16, hex_text(stable_hash(text.substr(0, sum)))) != 0)
    return std::nullopt;
  return text.substr(0, sum);
}

std::optional<kept_rows> parse_rows(const std::string& text, std::string_view magic) {
  const auto body = checked(text);
  if (!body || !body->starts_with(magic)) return std::nullopt;
  kept_rows out;
  std::size_t at = 0;
  bool first = true;
  while (at < body->size()) {
    const auto end = body->find('\n', at);
    const std::string_view line{body->data() + at, end - at};
    at = end + 1;
    const auto blank = line.rfind(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    const auto tail = line.substr(blank + 1);
    if (first) {
      first = false;
      const auto [rest, failed] = std::from_chars(tail.data(), tail.data() + tail.size(), out.version);
      if (failed != std::errc{} || line.substr(0, blank) != magic) return std::nullopt;
      continue;
    }
    out.rows.emplace_back(line.substr(0, blank), tail);
  }
  return out;
}

} // namespace

error refused_file(const std::filesystem::path& file) {
  return {make_error_code(cluster_errc::unreadable),
          file.string() + ": " + std::strerror(errno) + "; the node's data directory must be writable"};
}

/// Temporary file, sync, rename, sync of the directory: after a crash there is the old text or the new one.
status replace_synced(const std::filesystem::path& dir, const std::string& name, const std::string& text) {
  const auto target = dir / name;
  const auto fresh = dir / (name + ".new");
  {
    const descriptor out{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (out.get() < 0) return refused_file(fresh);
    if (::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      return refused_file(fresh);
    if (::fsync(out.get()) != 0) return refused_file(fresh);
  }
  if (::rename(fresh.c_str(), target.c_str()) != 0) return refused_file(target);
  const descriptor folder{::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) return refused_file(dir);
  return ok;
}

status save_rows(const std::filesystem::path& directory, const std::string& name, std::string_view magic,
                 const kept_rows& what) {
  std::string text{magic};
  text += ' ' + std::to_string(what.version) + '\n';
  for (const auto& [key, value] : what.rows) text += key + ' ' + value + '\n';
  return replace_synced(directory, name, text + hex_text(stable_hash(text)) + '\n');
}

result<kept_rows> load_rows(const std::filesystem::path& directory, const std::string& name,
                            std::string_view magic) {
  const auto file = directory / name;
  std::error_code failed;
  if (!std::filesystem::exists(file, failed)) return kept_rows{};
  std::ifstream in{file, std::ios::binary};
  if (!in) return refused_file(file);
  std::string text(most_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (auto rows = parse_rows(text, magic)) return std::move(*rows);
  return error{make_error_code(cluster_errc::damaged),
               file.string() + " is damaged; restore it from a copy, or remove it to begin anew"};
}

} // namespace troupe
