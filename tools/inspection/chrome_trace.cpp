#include "tools/inspection/chrome_trace.hpp"

#include "messages/json.hpp"

#include <map>

namespace troupe::inspection {
namespace {

void write_name(json_writer& w, const char* what, std::size_t process, std::size_t thread, const std::string& name) {
  w.begin_object().field("ph", "M").field("name", what).field("pid", process).field("tid", thread);
  w.key("args").begin_object().field("name", name).end_object().end_object();
}

/// Microseconds with the nanoseconds as decimals, which the format allows.
std::string microseconds(std::int64_t ns) {
  auto decimals = std::to_string(ns % 1000);
  decimals.insert(0, 3 - decimals.size(), '0');
  return std::to_string(ns / 1000) + "." + decimals;
}

void write_row(json_writer& w, const timeline_row& row, std::size_t process, std::size_t thread) {
  const bool lasting = row.took.count() > 0;
  w.begin_object().field("ph", lasting ? "X" : "i").field("cat", row.what);
  w.field("name", lasting ? row.detail : row.what).field("pid", process).field("tid", thread);
  w.key("ts").raw(microseconds(row.at.ns));
  if (lasting) w.key("dur").raw(microseconds(row.took.count()));
  else w.field("s", row.what.starts_with("link") || row.what == "clock" || row.what == "stall" ? "p" : "t");
  w.key("args").begin_object().field("actor", row.actor).field("detail", row.detail).end_object().end_object();
}

} // namespace

std::string chrome_trace(const std::vector<timeline_page>& nodes) {
  json_writer w;
  w.begin_object().field("displayTimeUnit", "ms").key("traceEvents").begin_array();
  std::size_t process = 0;
  for (const auto& node : nodes) {
    write_name(w, "process_name", ++process, 0, node.node.text + "#" + std::to_string(node.incarnation));
    std::map<std::string, std::size_t> threads;
    for (const auto& row : node.rows) {
      const auto [thread, fresh] = threads.try_emplace(row.actor, threads.size() + 1);
      if (fresh) write_name(w, "thread_name", process, thread->second, row.actor);
      write_row(w, row, process, thread->second);
    }
  }
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe::inspection
