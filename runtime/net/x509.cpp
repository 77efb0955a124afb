#include "runtime/net/x509.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::net {

std::string openssl_words() {
  char buffer[256] = "no details";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, buffer, sizeof buffer);
  ERR_clear_error();
  return buffer;
}

key_pointer make_key() {
  return key_pointer{EVP_EC_gen("P-256")};
}

certificate_pointer blank_certificate(EVP_PKEY* key, const char* name, long from_seconds,
                                      long until_seconds) {
  certificate_pointer out{X509_new()};
  std::uint64_t serial = 0;
  if (!out || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return {};
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), until_seconds);
  X509_set_pubkey(out.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return out;
}

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

bool make_authority(X509* blank, EVP_PKEY* key) {
  X509_set_issuer_name(blank, X509_get_subject_name(blank));
  return add_extension(blank, blank, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
         && add_extension(blank, blank, NID_key_usage, "critical,keyCertSign,cRLSign")
         && add_extension(blank, blank, NID_subject_key_identifier, "hash")
         && X509_sign(blank, key, EVP_sha256()) > 0;
}

status write_pem(const std::filesystem::path& path, int mode, const std::function<int(FILE*)>& write) {
  const auto temporary = path.string() + ".new";
  ::unlink(temporary.c_str()); // what a crash left may have another owner or mode
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  FILE* file = fd < 0 ? nullptr : ::fdopen(fd, "w");
  if (file == nullptr) {
    if (fd >= 0) ::close(fd);
    return {net_errc::bad_certificate_file, temporary + ": " + std::generic_category().message(errno)};
  }
  const bool written = write(file) == 1 && ::fchmod(fd, static_cast<mode_t>(mode)) == 0;
  const bool flushed = std::fflush(file) == 0 && ::fsync(fd) == 0;
  const bool closed = std::fclose(file) == 0;
  if (!written || !flushed || !closed || std::rename(temporary.c_str(), path.c_str()) != 0)
    return {net_errc::bad_certificate_file,
            path.string() + ": can't be written; free its disk or name another place"};
  return ok;
}

} // namespace troupe::net
