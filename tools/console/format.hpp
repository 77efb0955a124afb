#pragma once

/// Figures in few characters, for tables. An absent figure is a dash. All results are ASCII but the dash,
/// which the grid draws in ASCII where it must.

#include "tools/console/sample.hpp"

#include <string>
#include <string_view>

namespace troupe::console {

inline constexpr std::string_view dash = "–";

/// 950ns, 12.3us, 4.1ms, 2.5s, 3m05s, 2h14m, 5d03h.
std::string duration_text(figure nanoseconds);
/// 0…9999, 12.3k, 456k, 7.8M, 1.2G.
std::string count_text(figure count);
/// 812B, 12.3K, 45.6M, 1.2G (powers of 1024).
std::string bytes_text(figure bytes);
/// Millionths as a percentage: 1.5%, 100%.
std::string share_text(figure millionths);
/// Thousandths as a decimal: 0.03.
std::string thousandths_text(figure thousandths);
/// "value", or a dash when it is empty.
std::string text_or_dash(std::string_view text);

/// JSON text broken into indented lines; at most `most` of them, the last then says how much is left out.
std::vector<std::string> pretty_json(std::string_view json, std::size_t most);

} // namespace troupe::console
