#pragma once

/// `feed verify` of tapes that `troupe tape record` made: any venue, its own decoder, the whole feed.

#include "tools/feed_verify/feed_verify.hpp"

namespace troupe {

/// True when the file is a tape whose head is that of a recording of ours.
bool is_own_recording(const std::filesystem::path& file);

/// Figures of each instrument; files of one venue in order of time, several venues may be mixed.
/// @param unfinished see read_recordings
result<std::vector<feed_figures>> own_recording_figures(const std::vector<std::filesystem::path>& files,
                                                        std::vector<std::string>* unfinished = nullptr);

} // namespace troupe
