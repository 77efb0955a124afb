#include "runtime/cluster/nodes_conf_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace troupe {

result<nodes_conf> load_nodes_conf(const std::filesystem::path& file) {
  constexpr std::size_t most = std::size_t{1} << 20;
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return {cluster_errc::unreadable,
            file.string() + ": " + std::strerror(errno) + "; name the file, or create it"};
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return {cluster_errc::unreadable, file.string() + ": " + std::strerror(errno)};
  if (text.size() > most)
    return {cluster_errc::unreadable, file.string() + ": larger than 1 MiB, no nodes.conf"};
  return parse_nodes_conf(text, file.string());
}

result<nodes_conf> load_nodes_conf_of(const std::filesystem::path& folder, const std::filesystem::path& name) {
  const auto inside = folder / name;
  const auto beside = std::filesystem::absolute(folder).parent_path() / name;
  std::error_code ignored;
  if (!std::filesystem::exists(inside, ignored) && std::filesystem::exists(beside, ignored)) return load_nodes_conf(beside);
  return load_nodes_conf(inside);
}

} // namespace troupe
