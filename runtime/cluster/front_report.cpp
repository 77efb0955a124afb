#include "runtime/cluster/front_report.hpp"

#include "messages/json.hpp"

namespace troupe {
namespace {

std::int64_t micros(nanoseconds d) {
  return d.count() / 1000;
}
std::int64_t millis(nanoseconds d) {
  return d.count() / 1'000'000;
}

} // namespace

std::string to_json(const front_report& report) {
  json_writer w;
  w.begin_object().field("listening", report.listening).field("certificate", report.certificate);
  w.field("certificate_until", report.certificate_until)
      .field("certificate_days_left", report.certificate_days_left);
  w.field("accepted", report.accepted).field("waiting", report.waiting).field("faults_on", report.faults_on);
  w.key("refused").begin_object();
  for (const auto& [kind, count] : report.refused)
    w.field(kind, count);
  w.end_object().key("links").begin_array();
  for (const auto& x : report.links) {
    w.begin_object().field("peer", x.peer).field("dialled", x.dialled).field("address", x.address);
    w.field("open_ms", millis(x.open_for)).field("silent_ms", millis(x.silent_for));
    w.field("bytes_in", x.bytes_in).field("bytes_out", x.bytes_out);
    w.field("frames_in", x.frames_in).field("frames_out", x.frames_out);
    w.field("round_trip_us", micros(x.round_trip)).field("retransmits", x.retransmits);
    w.field("credit_bytes", x.credit).end_object();
  }
  w.end_array().key("peers").begin_array();
  for (const auto& x : report.peers) {
    w.begin_object().field("peer", x.peer).field("opened", x.opened).field("faults", x.faults);
    w.field("bytes_in", x.bytes_in).field("bytes_out", x.bytes_out).field("last_trouble", x.last_trouble);
    w.field("trouble_ms_ago", millis(x.trouble_ago)).end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
