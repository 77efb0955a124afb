#pragma once

/// The cluster's own authority and the certificates of its nodes: made, found and read here, by OpenSSL's
/// functions alone. EC keys on P-256, SHA-256, TLS 1.3 for both sides of a link.
///
/// | file | in | is |
/// |---|---|---|
/// | ca.pem, ca.key | the authority's directory | what `troupe cluster init-ca` made; the key belongs off the
/// nodes | | ca.pem, node.pem, node.key | a node's directory | what `troupe cluster issue NODE` made |
///
/// A certificate names its node twice in its subject alternative names: URI `troupe://node/NAME` and
/// DNS `NAME.troupe`. Keys have mode 0600 and belong to the user who runs the node. Blocks on files;
/// not for actors.

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/errc.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe {

/// Longest life of what is issued by default, days.
inline constexpr int authority_days = 3650;
inline constexpr int certificate_days = 397;

/// What stands in a certificate.
struct certificate_facts {
  std::string subject;
  std::string serial;             ///< hexadecimal
  std::vector<std::string> nodes; ///< node names of its alternative names, each once
  market_time from{};
  market_time until{};
};

struct authority_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
  certificate_facts facts;
};

/// Makes an authority in `directory` (created with mode 0700). Refused where one is already: a second one
/// would lock out all nodes that hold a certificate of the first.
result<authority_files> init_authority(const std::filesystem::path& directory, int days = authority_days);

struct certificate_request {
  std::filesystem::path authority;  ///< directory of the authority
  std::filesystem::path directory;  ///< where the node's files go; created with mode 0700
  std::string node;                 ///< a name of nodes.conf: the caller has checked that
  bool replace = false;             ///< a certificate that is there may be replaced
  std::int64_t from_seconds = -300; ///< begin of validity, from now: clocks differ
  std::int64_t until_seconds = std::int64_t{certificate_days} * 24 * 3600;
};

struct node_tls_files {
  std::filesystem::path authority;
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct issued_certificate {
  node_tls_files files;
  certificate_facts facts;
};

/// Issues a certificate. Errors: no authority there, its key open to others, one is there already,
/// the authority ends before the certificate would begin. It never outlives its authority.
result<issued_certificate> issue_certificate(const certificate_request& request);

/// The files of a node: in DIRECTORY/NODE when there is such a directory, else in DIRECTORY itself. With an
/// empty `node` those of any of `candidates`, for programs of an operator. Key and certificate are checked
/// for owner and mode; the error says which command makes what is missing.
result<node_tls_files> find_tls_files(const std::filesystem::path& directory, const std::string& node,
                                      const std::vector<std::string>& candidates = {});

/// Reads the first certificate of a PEM file.
result<certificate_facts> read_certificate(const std::filesystem::path& pem);

/// What an operator should know of a certificate's life at `now`; empty while it has 30 days left.
std::string expiry_warning(const certificate_facts& facts, const std::string& what, market_time now);

/// 2027-05-01T12:00:00Z
std::string utc_text(market_time t);

} // namespace troupe
