#include "storage/tables.hpp"

#include <map>

namespace troupe {
namespace {

class memory_tables final : public tables {
public:
  result<std::optional<std::string>> get(table in, std::string_view key) override {
    const auto& rows = rows_[static_cast<std::size_t>(in)];
    const auto it = rows.find(key);
    return it == rows.end() ? std::optional<std::string>{} : std::optional{it->second};
  }

  status write(std::span<const table_write> changes, bool) override {
    for (const auto& change : changes) {
      auto& rows = rows_[static_cast<std::size_t>(change.in)];
      if (change.value)
        rows.insert_or_assign(change.key, *change.value);
      else
        rows.erase(change.key);
    }
    return ok;
  }

  status scan(table in, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    const auto& rows = rows_[static_cast<std::size_t>(in)];
    for (auto it = rows.lower_bound(from); it != rows.end() && visit(it->first, it->second); ++it) {
    }
    return ok;
  }

  status sync() override { return ok; }
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

private:
  std::array<std::map<std::string, std::string, std::less<>>, table_count> rows_;
  std::string name_ = "memory";
};

} // namespace

std::unique_ptr<tables> make_memory_tables() {
  return std::make_unique<memory_tables>();
}

std::unique_ptr<store> make_memory_store() {
  // Fresh memory tables can't fail to start: there is nothing to read and no disk to refuse.
  return std::move(make_store(make_memory_tables())).value();
}

} // namespace troupe
