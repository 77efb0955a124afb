#include "runtime/cluster/front_certificates.hpp"

#include "runtime/cluster/front_tls.hpp"
#include "runtime/net/x509.hpp"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe {
namespace {

using path = std::filesystem::path;
using net::certificate_pointer;
using net::key_pointer;

constexpr std::int64_t day_seconds = 24 * 3600;

error certificate_failure(const std::string& text) {
  return {make_error_code(cluster_errc::failed), text + ": " + net::openssl_words()};
}

/// A certificate from a PEM file, null when there is none.
certificate_pointer load_certificate(const path& file) {
  FILE* in = std::fopen(file.c_str(), "re");
  if (in == nullptr) return {};
  certificate_pointer out{PEM_read_X509(in, nullptr, nullptr, nullptr)};
  std::fclose(in);
  ERR_clear_error();
  return out;
}

/// Refuses to ask for a pass phrase: nobody sits before a node.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

key_pointer load_key(const path& file) {
  FILE* in = std::fopen(file.c_str(), "re");
  if (in == nullptr) return {};
  key_pointer out{PEM_read_PrivateKey(in, nullptr, no_pass_phrase, nullptr)};
  std::fclose(in);
  return out;
}

/// As ssh does: a key that others may read is no secret.
status check_private(const path& file) {
  struct stat info {};
  if (::lstat(file.c_str(), &info) != 0)
    return {cluster_errc::unreadable, file.string() + ": " + std::strerror(errno)};
  if (!S_ISREG(info.st_mode))
    return {cluster_errc::unreadable, file.string() + ": is no plain file; copy the key itself there"};
  if (info.st_uid != ::geteuid())
    return {cluster_errc::refused, file.string() + ": belongs to another user; run: chown "
                                       + std::to_string(::geteuid()) + " " + file.string()};
  if ((info.st_mode & 077) != 0)
    return {cluster_errc::refused, file.string() + ": others may read it; run: chmod 600 " + file.string()};
  return ok;
}

/// Who may write here may name any node.
status check_public(const path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return {cluster_errc::unreadable, file.string() + ": " + std::strerror(errno)};
  if (info.st_uid != ::geteuid() && info.st_uid != 0)
    return {cluster_errc::refused, file.string() + ": belongs to another user; run: chown "
                                       + std::to_string(::geteuid()) + " " + file.string()};
  if ((info.st_mode & 022) != 0)
    return {cluster_errc::refused, file.string() + ": others may write it; run: chmod 644 " + file.string()};
  return ok;
}

status private_directory(const path& directory) {
  std::error_code failed;
  const bool fresh = std::filesystem::create_directories(directory, failed);
  if (failed)
    return {cluster_errc::unreadable,
            directory.string() + ": " + failed.message() + "; name another directory"};
  if (fresh) ::chmod(directory.c_str(), 0700);
  return ok;
}

status write_key(const path& file, EVP_PKEY* key) {
  return net::write_pem(file, 0600, [&](FILE* out) {
    return PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

status write_certificate(const path& file, X509* certificate) {
  return net::write_pem(file, 0644, [&](FILE* out) { return PEM_write_X509(out, certificate); });
}

market_time instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return {static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000'000};
}

std::string serial_of(const X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* hex = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string out = hex == nullptr ? "?" : hex;
  OPENSSL_free(hex);
  BN_free(number);
  return out;
}

certificate_facts facts_of(X509* certificate) {
  char subject[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, subject, sizeof subject);
  return {subject, serial_of(certificate), certified_nodes(certificate),
          instant_of(X509_get0_notBefore(certificate)), instant_of(X509_get0_notAfter(certificate))};
}

bool finish_certificate(X509* blank, X509* authority, EVP_PKEY* authority_key, const std::string& node) {
  const auto names = "URI:" + certificate_uri(node) + ",DNS:" + node + ".troupe";
  X509_set_issuer_name(blank, X509_get_subject_name(authority));
  return net::add_extension(blank, authority, NID_basic_constraints, "critical,CA:FALSE")
         && net::add_extension(blank, authority, NID_key_usage, "critical,digitalSignature")
         && net::add_extension(blank, authority, NID_ext_key_usage, "serverAuth,clientAuth")
         && net::add_extension(blank, authority, NID_subject_alt_name, names)
         && net::add_extension(blank, authority, NID_subject_key_identifier, "hash")
         && net::add_extension(blank, authority, NID_authority_key_identifier, "keyid")
         && X509_sign(blank, authority_key, EVP_sha256()) > 0;
}

std::int64_t seconds_left(const X509* certificate) {
  int days = 0, seconds = 0;
  ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
  return days * day_seconds + seconds;
}

} // namespace

result<authority_files> init_authority(const path& directory, int days) {
  authority_files out{directory / "ca.pem", directory / "ca.key", {}};
  std::error_code ignored;
  for (const auto& file : {out.key, out.certificate})
    if (std::filesystem::exists(file, ignored))
      return {cluster_errc::conflict, file.string()
                                          + " is there already; a second authority would lock out every node "
                                            "of the first: name another directory, or move it away"};
  if (auto made = private_directory(directory); !made) return std::move(made).error();
  const auto key = net::make_key();
  // A name of its own, so that authorities of two clusters are told apart in a log.
  std::uint32_t tag = 0;
  if (!key || RAND_bytes(reinterpret_cast<unsigned char*>(&tag), sizeof tag) != 1)
    return certificate_failure("making the authority's key");
  const auto name = "Troupe cluster authority " + std::to_string(tag);
  const auto certificate =
      net::blank_certificate(key.get(), name.c_str(), -300, static_cast<long>(days * day_seconds));
  if (!certificate || !net::make_authority(certificate.get(), key.get()))
    return certificate_failure("making the authority");
  if (auto written = write_key(out.key, key.get()); !written) return std::move(written).error();
  if (auto written = write_certificate(out.certificate, certificate.get()); !written)
    return std::move(written).error();
  out.facts = facts_of(certificate.get());
  return out;
}

result<issued_certificate> issue_certificate(const certificate_request& request) {
  const auto authority_file = request.authority / "ca.pem";
  const auto authority_key_file = request.authority / "ca.key";
  const auto remedy = "; `troupe cluster init-ca` makes an authority, --ca names where one is";
  if (auto fits = check_private(authority_key_file); !fits)
    return {cluster_errc::unreadable, fits.error().text + remedy};
  const auto authority = load_certificate(authority_file);
  const auto authority_key = load_key(authority_key_file);
  if (!authority || !authority_key)
    return {cluster_errc::unreadable,
            request.authority.string() + ": ca.pem or ca.key can't be read" + remedy};
  if (X509_check_private_key(authority.get(), authority_key.get()) != 1)
    return certificate_failure(authority_key_file.string() + " is not the key of " + authority_file.string());
  const auto most = seconds_left(authority.get());
  if (most <= request.from_seconds)
    return {cluster_errc::refused, authority_file.string()
                                       + ": the authority has expired; make a new one with "
                                         "`troupe cluster init-ca` and issue all certificates anew"};
  issued_certificate out{
      {request.directory / "ca.pem", request.directory / "node.pem", request.directory / "node.key"}, {}};
  std::error_code ignored;
  if (!request.replace && std::filesystem::exists(out.files.certificate, ignored))
    return {cluster_errc::conflict,
            out.files.certificate.string() + " is there already; --replace writes a new one"};
  if (auto made = private_directory(request.directory); !made) return std::move(made).error();
  const auto key = net::make_key();
  if (!key) return certificate_failure("making a key");
  const auto certificate =
      net::blank_certificate(key.get(), request.node.c_str(), static_cast<long>(request.from_seconds),
                             static_cast<long>(std::min(most, request.until_seconds)));
  if (!certificate
      || !finish_certificate(certificate.get(), authority.get(), authority_key.get(), request.node))
    return certificate_failure("making the certificate of '" + request.node + "'");
  if (auto written = write_key(out.files.key, key.get()); !written) return std::move(written).error();
  if (auto written = write_certificate(out.files.certificate, certificate.get()); !written)
    return std::move(written).error();
  if (auto written = write_certificate(out.files.authority, authority.get()); !written)
    return std::move(written).error();
  out.facts = facts_of(certificate.get());
  return out;
}

result<node_tls_files> find_tls_files(const path& directory, const std::string& node,
                                      const std::vector<std::string>& candidates) {
  std::error_code ignored;
  std::vector<path> places;
  if (!node.empty()) places.push_back(directory / node);
  for (const auto& name : candidates)
    places.push_back(directory / name);
  places.push_back(directory);
  const auto place = std::find_if(places.begin(), places.end(), [&](const path& p) {
    return std::filesystem::exists(p / "node.pem", ignored);
  });
  if (place == places.end())
    return {cluster_errc::unreadable,
            "no certificate in " + places.front().string() + " and none in " + directory.string()
                + ": nodes.conf has tls=on; `troupe cluster init-ca`, then `troupe cluster issue "
                + (node.empty() ? std::string{"NODE"} : node) + "` make it (setting cluster.tls.directory)"};
  node_tls_files out{*place / "ca.pem", *place / "node.pem", *place / "node.key"};
  for (const auto& file : {out.authority, out.certificate})
    if (auto fits = check_public(file); !fits) return std::move(fits).error();
  if (auto fits = check_private(out.key); !fits) return std::move(fits).error();
  return out;
}

result<certificate_facts> read_certificate(const path& pem) {
  const auto certificate = load_certificate(pem);
  if (!certificate) return {cluster_errc::damaged, pem.string() + ": holds no certificate in PEM form"};
  return facts_of(certificate.get());
}

std::string expiry_warning(const certificate_facts& facts, const std::string& what, market_time now) {
  constexpr nanoseconds soon = std::chrono::hours{30 * 24};
  const auto renew = "; `troupe cluster issue NODE --replace` makes a new one, a restart takes it";
  if (now < facts.from)
    return what + " is valid from " + utc_text(facts.from)
           + " only: peers refuse it; set this machine's clock";
  if (now >= facts.until)
    return what + " has expired on " + utc_text(facts.until) + ": peers refuse it" + renew;
  if (facts.until - now < soon) return what + " expires on " + utc_text(facts.until) + renew;
  return {};
}

std::string utc_text(market_time t) {
  const auto seconds = static_cast<std::time_t>(t.ns / 1'000'000'000);
  std::tm parts{};
  char buffer[32];
  ::gmtime_r(&seconds, &parts);
  std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer;
}

} // namespace troupe
