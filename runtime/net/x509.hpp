#pragma once

/// Certificates made and read through OpenSSL, for the files of runtime/ that need them. No program is
/// run and nothing is fetched.

#include "runtime/net/net.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

template <class T, void (*Free)(T*)>
struct openssl_releaser {
  void operator()(T* x) const { Free(x); }
};
using key_pointer = std::unique_ptr<EVP_PKEY, openssl_releaser<EVP_PKEY, EVP_PKEY_free>>;
using certificate_pointer = std::unique_ptr<X509, openssl_releaser<X509, X509_free>>;

/// What OpenSSL says of its last error on this thread; clears it.
std::string openssl_words();

/// An EC key on P-256; null when there is no randomness.
key_pointer make_key();

/// A version 3 certificate with a random serial, not signed yet, valid from `from_seconds` to
/// `until_seconds` counted from now. Null when there is no randomness.
certificate_pointer blank_certificate(EVP_PKEY* key, const char* name, long from_seconds, long until_seconds);

/// Adds an extension by its OpenSSL text, such as NID_basic_constraints with "critical,CA:FALSE".
bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value);

/// Makes of a blank certificate an authority that signed itself and may sign no further authority.
bool make_authority(X509* blank, EVP_PKEY* key);

/// Writes through a temporary name, so that a reader sees the whole file or none. `write` returns 1 on
/// success, as OpenSSL's PEM functions do. Nobody but the owner may read the file while it is written.
status write_pem(const std::filesystem::path& path, int mode, const std::function<int(FILE*)>& write);

} // namespace troupe::net
