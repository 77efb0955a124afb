#include "storage/journal_entries.hpp"

namespace troupe {

std::string_view name_of(journal_kind kind) noexcept {
  switch (kind) {
  case journal_kind::none:
    return "none";
  case journal_kind::session:
    return "session";
  case journal_kind::intent:
    return "intent";
  case journal_kind::sent:
    return "sent";
  case journal_kind::report:
    return "report";
  case journal_kind::cursor:
    return "cursor";
  case journal_kind::halt:
    return "halt";
  case journal_kind::decision:
    return "decision";
  case journal_kind::note:
    return "note";
  case journal_kind::balance:
    return "balance";
  }
  return "?";
}

} // namespace troupe
