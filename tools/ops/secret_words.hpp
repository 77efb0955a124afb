#pragma once

/// Takes secrets out of text that leaves the machine: by value, in every form in which one is found again,
/// and by pattern, for those whose value is not known here. Pure.

#include <string>
#include <vector>

namespace troupe::ops {

/// What is known to be secret. Values under six bytes are ignored: they would tear holes into everything.
class secret_words {
public:
  explicit secret_words(const std::vector<std::string>& values);

  /// The text with every value replaced by "[redacted]" – as it is, in base64 (with either alphabet, and
  /// wherever it begins within a group of three), in hexadecimal and percent-encoded – and with what stands
  /// behind words that announce a secret: NAME_KEY=, NAME_SECRET=, signature=, listenKey, X-MBX-APIKEY,
  /// Authorization, password, token, and private keys in PEM.
  [[nodiscard]] std::string strip(std::string text) const;

private:
  std::vector<std::string> exact_;   ///< compared byte by byte, longest first
  std::vector<std::string> lowered_; ///< hexadecimal digits in any case
};

} // namespace troupe::ops
