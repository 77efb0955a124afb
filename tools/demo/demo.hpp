#pragma once

/// `troupe demo`: the whole system on this machine, watched for a while, summed up at the end.

#include "tools/demo/plan.hpp"

namespace troupe::demo {

/// Runs a demonstration. Returns the exit code: 0 when it traded, predicted and learned as promised and,
/// with chaos, nothing was lost, doubled or trained on twice.
int run_demo(const demo_options& options, const std::string& recordings);

/// `troupe torture executor`: kills the exec process at random moments under load; after each recovery the
/// executor's journal and the simulator's ledger must agree. Returns the exit code.
int torture_executor(const demo_options& options, const std::string& recordings, std::uint32_t kills);

} // namespace troupe::demo
