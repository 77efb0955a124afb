#include "actors/connectors/binance/signer.hpp"

#include "messages/json.hpp"

#include <algorithm>

namespace troupe::binance {

std::string signed_query(const parameters& list, const secret& key) {
  auto out = query_of(list);
  const auto signature = hmac_sha256_hex(key, out);
  if (!out.empty()) out += '&';
  return out + "signature=" + signature;
}

std::string sorted_payload(parameters list) {
  std::sort(list.begin(), list.end());
  std::string out;
  for (const auto& [name, value] : list) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

std::string ws_request(std::string_view id, std::string_view method, const parameters& list) {
  json_writer w;
  w.begin_object().field("id", id).field("method", method);
  if (!list.empty()) {
    w.key("params").begin_object();
    for (const auto& [name, value] : list) {
      w.key(name);
      if (name == "timestamp" || name == "recvWindow") w.raw(value);
      else w.string(value);
    }
    w.end_object();
  }
  w.end_object();
  return std::move(w).text();
}

std::string signed_ws_request(std::string_view id, std::string_view method, parameters list,
                              const secret& key) {
  auto signature = hmac_sha256_hex(key, sorted_payload(list));
  list.emplace_back("signature", std::move(signature));
  return ws_request(id, method, list);
}

} // namespace troupe::binance
