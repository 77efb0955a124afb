#include "actors/connectors/binance/signer.hpp"

#include "messages/json.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace troupe::binance {
namespace {

void append_encoded(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
                       || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += raw;
      continue;
    }
    out += '%';
    out += hex[c >> 4];
    out += hex[c & 15];
  }
}

} // namespace

std::string hmac_sha256_hex(const secret& key, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  const auto bytes = key.expose_to_signer();
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &length);
  std::string out;
  out.reserve(length * 2);
  for (unsigned int i = 0; i < length; ++i) {
    out += hex[digest[i] >> 4];
    out += hex[digest[i] & 15];
  }
  return out;
}

std::string query_of(const parameters& list) {
  std::string out;
  for (const auto& [name, value] : list) {
    if (!out.empty()) out += '&';
    append_encoded(out, name);
    out += '=';
    append_encoded(out, value);
  }
  return out;
}

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
