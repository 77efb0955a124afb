#include "runtime/cluster/audit_log.hpp"

#include "messages/json.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace troupe {

result<audit_log> audit_log::open(const std::filesystem::path& data) {
  const auto file = data / "audit.log";
  audit_log out;
  out.fd_.reset(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!out.fd_)
    return {cluster_errc::unreadable,
            file.string() + ": " + std::strerror(errno) + "; the node's data directory must be writable"};
  return out;
}

status audit_log::write(market_time at, const node_name& node, const admin_command& command,
                        const admin_result* outcome) {
  json_writer w;
  w.begin_object()
      .field("at_ns", at.ns)
      .field("node", node.text)
      .field("event", outcome ? "outcome" : "command");
  w.field("who", command.who).field("verb", command.verb).field("target", command.target);
  w.key("arguments").begin_object();
  for (const auto& [key, value] : command.arguments) w.field(key, value);
  w.end_object();
  if (outcome) w.field("done", outcome->done).field("text", outcome->text);
  w.end_object();
  const auto line = std::move(w).text() + "\n";
  if (::write(fd_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return {cluster_errc::unreadable, std::string{"audit.log: "} + std::strerror(errno)};
  return ok;
}

} // namespace troupe
