#include "runtime/cluster/incarnation.hpp"

#include "messages/fields.hpp"
#include "runtime/cluster/small_file.hpp"
#include "runtime/cluster/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <optional>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::string_view magic = "troupe-incarnation 1 ";

/// "troupe-incarnation 1 VALUE CHECKSUM\n": magic, version, counter, FNV-1a of what stands before it.
std::string encode(std::uint64_t value) {
  std::string text{magic};
  text += std::to_string(value);
  text += ' ';
  return text + hex_text(stable_hash(text)) + '\n';
}

std::optional<std::uint64_t> decode(const std::string& text) {
  if (!text.starts_with(magic)) return std::nullopt;
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data() + magic.size(), end, value);
  if (failed != std::errc{} || rest == end || value == UINT64_MAX) return std::nullopt;
  if (encode(value) != text) return std::nullopt;
  return value;
}

} // namespace

result<raised_incarnation> raise_incarnation(const std::filesystem::path& data,
                                             std::uint64_t wall_seconds) {
  const auto file = data / "INCARNATION";
  raised_incarnation out;
  std::uint64_t stored = 0;
  std::error_code failed;
  if (std::filesystem::exists(file, failed)) {
    std::ifstream in{file, std::ios::binary};
    if (!in) return refused_file(file);
    std::string text(256, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (const auto value = decode(text))
      stored = *value;
    else {
      const auto aside = data / "INCARNATION.damaged";
      if (::rename(file.c_str(), aside.c_str()) != 0) return refused_file(file);
      out.repaired = file.string() + " is damaged and was set aside as " + aside.filename().string()
                     + "; the wall clock gives the incarnation";
    }
  }
  out.value = std::max(stored + 1, wall_seconds);
  if (auto written = replace_synced(data, "INCARNATION", encode(out.value)); !written)
    return std::move(written).error();
  return out;
}

} // namespace troupe
