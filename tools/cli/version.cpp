#include "tools/cli/version.hpp"

#include "messages/json.hpp"
#include "messages/type_ids.hpp"

#include <cstdio>

namespace troupe::cli {
namespace {

std::string hex(std::uint64_t x) {
  char text[17];
  std::snprintf(text, sizeof text, "%016lx", static_cast<unsigned long>(x));
  return text;
}

} // namespace

std::string build_id() { return TROUPE_VERSION "-" TROUPE_COMMIT; }

std::string program_version() { return TROUPE_VERSION; }

std::string version_text() {
  return "troupe " TROUPE_VERSION ", commit " TROUPE_COMMIT ", schema " + hex(cluster_schema_hash());
}

std::string version_json() {
  json_writer w;
  w.begin_object()
      .field("version", TROUPE_VERSION)
      .field("commit", TROUPE_COMMIT)
      .field("build", build_id())
      .field("schema", hex(cluster_schema_hash()))
      .end_object();
  return std::move(w).text();
}

} // namespace troupe::cli
