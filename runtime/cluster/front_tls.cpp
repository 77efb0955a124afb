#include "runtime/cluster/front_tls.hpp"

#include "runtime/net/x509.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace troupe {
namespace {

constexpr std::string_view uri_prefix = "troupe://node/";
constexpr std::string_view dns_suffix = ".troupe";

/// Only what nodes.conf allows as a name; an embedded NUL or a blank never gets through.
bool is_node_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
           || c == '.';
  });
}

std::string_view text_of(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(std::max(ASN1_STRING_length(value), 0))};
}

std::string_view node_in(const GENERAL_NAME* name) {
  if (name->type == GEN_URI) {
    const auto text = text_of(name->d.uniformResourceIdentifier);
    return text.starts_with(uri_prefix) ? text.substr(uri_prefix.size()) : std::string_view{};
  }
  if (name->type != GEN_DNS) return {};
  const auto text = text_of(name->d.dNSName);
  return text.ends_with(dns_suffix) ? text.substr(0, text.size() - dns_suffix.size()) : std::string_view{};
}

std::string common_name(X509* certificate) {
  char text[128] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
  std::string out;
  for (const char c : std::string_view{text})
    out += c >= ' ' && c < 0x7f && c != '\'' ? c : '?';
  return out;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "'" : "', '") + name;
  return out.empty() ? "no node" : out + "'";
}

} // namespace

std::string certificate_uri(const std::string& node) {
  return std::string{uri_prefix} + node;
}

std::vector<std::string> certified_nodes(const X509* certificate) {
  std::vector<std::string> out;
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const auto node = node_in(sk_GENERAL_NAME_value(names, i));
    if (is_node_name(node) && std::find(out.begin(), out.end(), node) == out.end()) out.emplace_back(node);
  }
  GENERAL_NAMES_free(names);
  return out;
}

bool peer_verification::step(bool preverified, X509_STORE_CTX* context) {
  X509* const certificate = X509_STORE_CTX_get_current_cert(context);
  if (!preverified) {
    const auto code = X509_STORE_CTX_get_error(context);
    refused = "its certificate '" + (certificate == nullptr ? std::string{} : common_name(certificate))
              + "' is not of this cluster's authority or not valid: " + X509_verify_cert_error_string(code);
    return false;
  }
  if (X509_STORE_CTX_get_error_depth(context) != 0) return true;
  const auto names = certified_nodes(certificate);
  if (names.size() != 1)
    refused =
        "its certificate '" + common_name(certificate) + "' must name one node, but names " + listed(names);
  else if (!expected.empty() && names.front() != expected)
    refused = "its certificate is that of node '" + names.front() + "', but '" + expected + "' was dialled";
  else if (!is_node(names.front()))
    refused = "its certificate names the node '" + names.front() + "', which nodes.conf does not have";
  else
    node = names.front();
  if (refused.empty()) return true;
  X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
  return false;
}

std::string handshake_words(unsigned long code, const std::string& otherwise) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return otherwise;
  switch (ERR_GET_REASON(code)) {
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    return "it shows no certificate";
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_WRONG_VERSION_NUMBER:
  case SSL_R_NO_PROTOCOLS_AVAILABLE:
  case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    return "it does not speak TLS 1.3";
  case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    return "it asks for our certificate and got none";
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    return "it does not know the authority of our certificate";
  case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    return "our certificate has expired, it says";
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
  case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
  case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    return "it refuses our certificate; its log says why";
  default:
    return otherwise;
  }
}

status configure_tls(SSL_CTX* context, const node_tls_files& files) {
  const auto failed = [](const std::filesystem::path& file, const std::string& what) -> status {
    return {cluster_errc::damaged, file.string() + ": " + what + " (" + net::openssl_words() + ")"};
  };
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // Buffers of a link that is quiet are given back; a hostile chain can't be long.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, 16 * 1024);
  SSL_CTX_set_verify_depth(context, 2);
  // Nobody sits before a node to type a pass phrase: a sealed key is refused.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  if (SSL_CTX_load_verify_locations(context, files.authority.c_str(), nullptr) != 1)
    return failed(files.authority, "holds no authority in PEM form");
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return failed(files.certificate, "holds no certificate in PEM form");
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed(files.key, "is not the key of " + files.certificate.filename().string());
  if (SSL_CTX_check_private_key(context) != 1)
    return failed(files.key, "is not the key of " + files.certificate.filename().string());
  return ok;
}

} // namespace troupe
