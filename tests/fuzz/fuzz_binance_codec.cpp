// Any bytes as a Binance frame: never a crash, the scanner and the general way agree, and a book fed with
// what was decoded equals a plain map book. The input is frames separated by newlines.

#include "actors/feeds/book_builder.hpp"
#include "tests/connectors/binance_frames.hpp"
#include "tests/feeds/book_oracle.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void found(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static binance::decoder decoder{{.price_scale = 4, .size_scale = 3}};
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  order_book book{{price{10}, 256}};
  test::map_book oracle;
  book_builder builder{{.rule = sequence_rule::spot, .book = {price{10}, 256}}};
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    std::string why;
    if (test::compare_ways(decoder, line, why) == test::verdict::different) found(why);
    const auto& event = decoder.decode(line);
    if (event.kind == event_kind::image) builder.on_image(event.image);
    if (event.kind != event_kind::depth) continue;
    book.apply(side::buy, event.depth.bids);
    book.apply(side::sell, event.depth.asks);
    for (const auto& l : event.depth.bids) oracle.apply(side::buy, l.at, l.quantity);
    for (const auto& l : event.depth.asks) oracle.apply(side::sell, l.at, l.quantity);
    if (const auto differs = test::whole_difference(book, oracle); !differs.empty()) found(differs);
    builder.on_depth(event.depth);
    if (builder.valid() && builder.book().crossed()) found("a crossed book is valid");
  }
  return 0;
}
