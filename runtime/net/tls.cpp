#include "runtime/net/detail.hpp"
#include "runtime/net/x509.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace troupe::net {
namespace {

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

  const auto authority_key = make_key();
  const auto server_key = make_key();
  if (!authority_key || !server_key) return failed("keys");

  // A name of its own, so that authorities of two runs are never taken for each other.
  std::uint32_t tag = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&tag), sizeof tag) != 1) return failed("randomness");
  const auto authority_name = "Troupe loopback authority " + std::to_string(tag);
  constexpr long day = 24L * 3600;
  auto authority = blank_certificate(authority_key.get(), authority_name.c_str(), -day, days * day);
  auto server = blank_certificate(server_key.get(), host_names.front().c_str(), -day, days * day);
  if (!authority || !server) return failed("certificates");

  const bool authority_made = make_authority(authority.get(), authority_key.get());
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
