#include "tools/inspection/envelope.hpp"

#include "messages/json.hpp"

namespace troupe::inspection {
namespace {

json_writer begun(const envelope_head& head, bool good) {
  json_writer w;
  w.begin_object().field("schema", envelope_schema).field("node", head.node).field("incarnation", head.incarnation);
  w.field("at_ns", head.at.ns).field("ok", good);
  return w;
}

} // namespace

std::string envelope(const envelope_head& head, const std::string& data) {
  auto w = begun(head, true);
  w.key("data").raw(data.empty() ? "null" : data).end_object();
  return std::move(w).text();
}

std::string envelope(const envelope_head& head, const error& why, const std::string& data) {
  auto w = begun(head, false);
  if (!data.empty()) w.key("data").raw(data);
  w.key("error").begin_object().field("code", std::string{why.code.category().name()} + "/" + std::to_string(why.code.value()));
  w.field("text", why.text.empty() ? why.message() : why.text).end_object().end_object();
  return std::move(w).text();
}

} // namespace troupe::inspection
