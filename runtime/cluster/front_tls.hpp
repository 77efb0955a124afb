#pragma once

/// Internal to the TLS front: the node names of a certificate, and the TLS configuration of both sides of
/// a link. The only authority that counts is the cluster's own, never the system's.

#include "runtime/cluster/front_certificates.hpp"

#include <openssl/ssl.h>

#include <functional>
#include <memory>

namespace troupe {

/// "troupe://node/exec"
std::string certificate_uri(const std::string& node);

/// The node names among a certificate's alternative names, each once. Names that could not stand in
/// nodes.conf are left out.
std::vector<std::string> certified_nodes(const X509* certificate);

/// Who a peer has shown to be, and why it was refused. One per hand-shake.
struct peer_verification {
  std::function<bool(const std::string&)> is_node; ///< stands in nodes.conf
  std::string expected;                            ///< the node that was dialled; empty: any
  std::string node;                                ///< the outcome
  std::string refused;                             ///< in words

  /// OpenSSL's verify step: `preverified` says what it thinks of the chain so far.
  bool step(bool preverified, X509_STORE_CTX* context);
};

/// Words for an OpenSSL error code of a failed hand-shake.
std::string handshake_words(unsigned long code, const std::string& otherwise);

/// Sets up what both sides share: TLS 1.3 only, our certificate and key, the cluster's authority, peers
/// must show a certificate, no session is resumed. Errors name the file.
status configure_tls(SSL_CTX* context, const node_tls_files& files);

} // namespace troupe
