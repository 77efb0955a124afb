#pragma once

/// `troupe bench consolidate`: what a merged book of twelve venues costs.

#include <iosfwd>

namespace troupe {

/// Times for making a view, taking it and telling the whole book; exit code 0.
int bench_consolidate(std::ostream& out, bool json);

} // namespace troupe
