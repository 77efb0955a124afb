// Whatever bytes come as msgpack: an error, or a value that encodes and decodes to itself.

#include "messages/cluster.hpp"
#include "messages/json.hpp"
#include "messages/msgpack.hpp"
#include "messages/trading.hpp"

#include <cstdlib>

namespace {

using namespace troupe;

template <class T>
void check(std::string_view bytes) {
  const auto value = from_msgpack<T>(bytes);
  if (!value) {
    if (value.error().text.empty()) std::abort();
    return;
  }
  const auto again = from_msgpack<T>(to_msgpack(*value));
  if (!again || *again != *value) std::abort();
  if (to_json(*value).empty()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 7) {
  case 0:
    check<hello>(bytes);
    break;
  case 1:
    check<frame_batch>(bytes);
    break;
  case 2:
    check<training_batch>(bytes);
    break;
  case 3:
    check<intent>(bytes);
    break;
  case 4:
    check<actor_report>(bytes);
    break;
  case 5:
    check<book_image>(bytes);
    break;
  case 6:
    check<order_report>(bytes);
    break;
  }
  return 0;
}
