#pragma once

/// The rooms of `troupe-model`: models and trainers. Their sources link LibTorch.

#include "tools/node/node.hpp"

namespace troupe::node {

/// One model actor for each configured model.
result<std::vector<child_definition>> model_room(const room_context& context);

/// One trainer for each configured model.
result<std::vector<child_definition>> train_room(const room_context& context);

} // namespace troupe::node
