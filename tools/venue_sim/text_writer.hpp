#pragma once

/// JSON text of the simulated venues, written in the order in which the venue writes it. Pure.

#include "tools/venue_sim/decimal.hpp"

#include <string>
#include <string_view>

namespace troupe::venue_sim {

/// JSON written field after field; the first field of an object needs no comma.
class text_writer {
public:
  text_writer& open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
    return *this;
  }
  text_writer& close(char bracket) {
    out_ += bracket;
    first_ = false;
    return *this;
  }
  text_writer& name(std::string_view key) {
    separate();
    out_ += '"';
    out_ += key;
    out_ += "\":";
    first_ = true;
    return *this;
  }
  text_writer& raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
  }
  text_writer& text(std::string_view key, std::string_view value) { return name(key).word(value); }
  text_writer& word(std::string_view value) {
    separate();
    out_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    out_ += '"';
    return *this;
  }
  text_writer& amount(std::string_view key, std::int64_t value_e8, int decimals = 8) {
    return name(key).figure(value_e8, decimals);
  }
  text_writer& figure(std::int64_t value_e8, int decimals = 8) {
    separate();
    out_ += '"';
    append_e8(out_, value_e8, decimals);
    out_ += '"';
    return *this;
  }
  text_writer& number(std::string_view key, std::int64_t value) {
    name(key).separate();
    append_integer(out_, value);
    return *this;
  }
  text_writer& integer(std::int64_t value) {
    separate();
    append_integer(out_, value);
    return *this;
  }
  text_writer& flag(std::string_view key, bool value) { return name(key).raw(value ? "true" : "false"); }
  [[nodiscard]] std::string take() { return std::move(out_); }
  std::string& buffer() { return out_; }

private:
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  std::string out_;
  bool first_ = true;
};

} // namespace troupe::venue_sim
