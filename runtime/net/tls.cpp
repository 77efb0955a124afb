#include "runtime/net/detail.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::net {
namespace {

std::string openssl_words() {
  char buffer[256] = "no details";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, buffer, sizeof buffer);
  ERR_clear_error();
  return buffer;
}

void harden(asio::ssl::context& context) {
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2
                      | asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1
                      | asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression);
}

} // namespace

result<tls_context> tls_context::client(const std::filesystem::path& ca_file) {
  auto state = std::make_shared<impl>(impl{asio::ssl::context{asio::ssl::context::tls_client}});
  boost_error ec;
  harden(state->context);
  state->context.set_verify_mode(asio::ssl::verify_peer, ec);
  if (ca_file.empty()) state->context.set_default_verify_paths(ec);
  else state->context.load_verify_file(ca_file.string(), ec);
  if (ec)
    return {net_errc::bad_certificate_file,
            "authority " + (ca_file.empty() ? std::string{"of the system"} : ca_file.string()) + ": "
                + ec.message() + "; a PEM file with at least one certificate is needed"};
  tls_context out;
  out.impl_ = std::move(state);
  return out;
}

result<tls_context> tls_context::server(const std::filesystem::path& certificate,
                                        const std::filesystem::path& key) {
  auto state = std::make_shared<impl>(impl{asio::ssl::context{asio::ssl::context::tls_server}});
  boost_error ec;
  harden(state->context);
  state->context.use_certificate_chain_file(certificate.string(), ec);
  if (ec)
    return {net_errc::bad_certificate_file,
            "certificate " + certificate.string() + ": " + ec.message()};
  state->context.use_private_key_file(key.string(), asio::ssl::context::pem, ec);
  if (ec) return {net_errc::bad_certificate_file, "key " + key.string() + ": " + ec.message()};
  tls_context out;
  out.impl_ = std::move(state);
  return out;
}

status prepare_tls(net_stream& stream, const std::string& host) {
  boost_error ec;
  const bool numeric = (asio::ip::make_address(host, ec), !ec);
  if (!numeric && SSL_set_tlsext_host_name(stream.tls().native_handle(), host.c_str()) != 1)
    return {net_errc::tls_failed, host + ": " + openssl_words()};
  stream.tls().set_verify_callback(asio::ssl::host_name_verification{host}, ec);
  if (ec) return {net_errc::tls_failed, host + ": " + ec.message()};
  return ok;
}

// --- certificates for loopback --------------------------------------------------------------------

namespace {

template <class T, void (*Free)(T*)>
struct releaser {
  void operator()(T* x) const { Free(x); }
};
using key_pointer = std::unique_ptr<EVP_PKEY, releaser<EVP_PKEY, EVP_PKEY_free>>;
using certificate_pointer = std::unique_ptr<X509, releaser<X509, X509_free>>;

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

/// A version 3 certificate with a random serial, not signed yet.
certificate_pointer blank_certificate(EVP_PKEY* key, const char* name, int days) {
  certificate_pointer out{X509_new()};
  std::uint64_t serial = 0;
  if (!out || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return {};
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -24L * 3600);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), static_cast<long>(days) * 24 * 3600);
  X509_set_pubkey(out.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return out;
}

/// Writes through a temporary name, so that a reader sees the whole file or none.
template <class Writer>
status write_pem(const std::filesystem::path& path, int mode, Writer&& write) {
  const auto temporary = path.string() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  FILE* file = fd < 0 ? nullptr : ::fdopen(fd, "w");
  if (file == nullptr) {
    if (fd >= 0) ::close(fd);
    return {net_errc::bad_certificate_file, temporary + ": " + std::generic_category().message(errno)};
  }
  const bool written = write(file) == 1;
  const bool closed = std::fclose(file) == 0;
  if (!written || !closed || std::rename(temporary.c_str(), path.c_str()) != 0)
    return {net_errc::bad_certificate_file, path.string() + ": can't be written"};
  return ok;
}

std::string alternative_names(const std::vector<std::string>& host_names) {
  std::string out;
  for (const auto& name : host_names) {
    boost_error ec;
    asio::ip::make_address(name, ec);
    out += (out.empty() ? "" : ",") + std::string{ec ? "DNS:" : "IP:"} + name;
  }
  return out;
}

} // namespace

result<certificate_files> make_self_signed(const std::filesystem::path& directory,
                                           const std::vector<std::string>& host_names, int days) {
  const auto failed = [](const std::string& what) -> result<certificate_files> {
    return {net_errc::bad_certificate_file, "making a certificate: " + what + ": " + openssl_words()};
  };
  if (host_names.empty()) return {net_errc::bad_certificate_file, "a certificate needs a host name"};
  std::error_code made;
  std::filesystem::create_directories(directory, made);
  if (made) return {net_errc::bad_certificate_file, directory.string() + ": " + made.message()};

  const key_pointer authority_key{EVP_EC_gen("P-256")};
  const key_pointer server_key{EVP_EC_gen("P-256")};
  if (!authority_key || !server_key) return failed("keys");

  // A name of its own, so that authorities of two runs are never taken for each other.
  std::uint32_t tag = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&tag), sizeof tag) != 1) return failed("randomness");
  const auto authority_name = "Troupe loopback authority " + std::to_string(tag);
  auto authority = blank_certificate(authority_key.get(), authority_name.c_str(), days);
  auto server = blank_certificate(server_key.get(), host_names.front().c_str(), days);
  if (!authority || !server) return failed("certificates");

  X509_set_issuer_name(authority.get(), X509_get_subject_name(authority.get()));
  const bool authority_made =
      add_extension(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
      && add_extension(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign,cRLSign")
      && add_extension(authority.get(), authority.get(), NID_subject_key_identifier, "hash")
      && X509_sign(authority.get(), authority_key.get(), EVP_sha256()) > 0;
  if (!authority_made) return failed("authority");

  X509_set_issuer_name(server.get(), X509_get_subject_name(authority.get()));
  const bool server_made =
      add_extension(server.get(), authority.get(), NID_basic_constraints, "critical,CA:FALSE")
      && add_extension(server.get(), authority.get(), NID_key_usage, "critical,digitalSignature")
      && add_extension(server.get(), authority.get(), NID_ext_key_usage, "serverAuth")
      && add_extension(server.get(), authority.get(), NID_subject_alt_name, alternative_names(host_names))
      && add_extension(server.get(), authority.get(), NID_authority_key_identifier, "keyid")
      && X509_sign(server.get(), authority_key.get(), EVP_sha256()) > 0;
  if (!server_made) return failed("server certificate");

  const certificate_files files{directory / "ca.pem", directory / "server.pem", directory / "server.key"};
  auto key_written = write_pem(files.key, 0600, [&](FILE* f) {
    return PEM_write_PrivateKey(f, server_key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  if (!key_written) return std::move(key_written).error();
  auto server_written =
      write_pem(files.certificate, 0644, [&](FILE* f) { return PEM_write_X509(f, server.get()); });
  if (!server_written) return std::move(server_written).error();
  auto authority_written =
      write_pem(files.authority, 0644, [&](FILE* f) { return PEM_write_X509(f, authority.get()); });
  if (!authority_written) return std::move(authority_written).error();
  return files;
}

} // namespace troupe::net
