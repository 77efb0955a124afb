#include "storage/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace troupe {
namespace {

error system_error(const std::filesystem::path& path, const char* doing, int number) {
  const auto code = [&] {
    switch (number) {
    case ENOENT:
    case ENOTDIR:
      return storage_errc::not_found;
    case EEXIST:
      return storage_errc::exists;
    case ENOSPC:
    case EDQUOT:
      return storage_errc::no_space;
    default:
      return storage_errc::io_failed;
    }
  }();
  return {code, path.string() + ": " + doing + ": " + std::strerror(number)};
}

/// Owns a descriptor.
class descriptor {
public:
  explicit descriptor(int fd) noexcept : fd_{fd} {}
  descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_;
};

int open_retrying(const std::filesystem::path& path, int flags) {
  int fd = -1;
  do
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  while (fd < 0 && errno == EINTR);
  return fd;
}

class real_file final : public disk_file {
public:
  real_file(descriptor fd, std::filesystem::path path)
      : fd_{std::move(fd)}, path_{std::move(path)} {}

  status write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error(path_, "write", errno);
      if (n == 0) return {storage_errc::io_failed, path_.string() + ": write: nothing was taken"};
      offset += static_cast<std::uint64_t>(n);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return ok;
  }

  result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto n = ::pread(fd_.get(), into.data() + done, into.size() - done,
                             static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error(path_, "read", errno);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  // EINTR of a sync is an error like any other: whether pages were dropped can't be known.
  status sync_data() override {
    if (::fdatasync(fd_.get()) != 0) return system_error(path_, "fdatasync", errno);
    return ok;
  }
  status sync() override {
    if (::fsync(fd_.get()) != 0) return system_error(path_, "fsync", errno);
    return ok;
  }

  status truncate(std::uint64_t bytes) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0)
      return system_error(path_, "truncate", errno);
    return ok;
  }

  result<std::uint64_t> size() override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return system_error(path_, "stat", errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept override { return path_; }

private:
  descriptor fd_;
  std::filesystem::path path_;
};

class real_lock final : public directory_lock {
public:
  explicit real_lock(descriptor fd) : fd_{std::move(fd)} {}

private:
  descriptor fd_;
};

/// Network file systems, by their magic numbers (statfs(2)).
bool is_network_file_system(long type) noexcept {
  constexpr unsigned long known[] = {0x6969 /* NFS */,      0x517b /* SMB */,
                                     0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */,
                                     0x5346414f /* AFS */,  0x00c36400 /* Ceph */};
  const auto magic = static_cast<unsigned long>(type) & 0xffffffffUL;
  return std::find(std::begin(known), std::end(known), magic) != std::end(known);
}

class operating_system final : public disk {
public:
  result<std::unique_ptr<disk_file>> open(const std::filesystem::path& path,
                                          open_mode mode) override {
    int flags = O_RDWR;
    switch (mode) {
    case open_mode::read:
      flags = O_RDONLY;
      break;
    case open_mode::create:
      flags |= O_CREAT | O_EXCL;
      break;
    case open_mode::truncate:
      flags |= O_CREAT | O_TRUNC;
      break;
    case open_mode::read_write:
      flags |= O_CREAT;
      break;
    }
    descriptor fd{open_retrying(path, flags)};
    if (!fd) return system_error(path, "open", errno);
    return std::unique_ptr<disk_file>{std::make_unique<real_file>(std::move(fd), path)};
  }

  result<bool> exists(const std::filesystem::path& path) override {
    std::error_code code;
    const bool found = std::filesystem::exists(path, code);
    if (code) return system_error(path, "stat", code.value());
    return found;
  }

  status rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error(to, "rename", errno);
    return ok;
  }

  status remove(const std::filesystem::path& path) override {
    std::error_code code;
    std::filesystem::remove_all(path, code);
    if (code && code != std::errc::no_such_file_or_directory)
      return system_error(path, "remove", code.value());
    return ok;
  }

  status create_directories(const std::filesystem::path& path) override {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) return system_error(path, "create directory", code.value());
    return ok;
  }

  status sync_directory(const std::filesystem::path& path) override {
    descriptor fd{open_retrying(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY)};
    if (!fd) return system_error(path, "open directory", errno);
    if (::fsync(fd.get()) != 0) return system_error(path, "fsync", errno);
    return ok;
  }

  result<std::vector<std::string>> list(const std::filesystem::path& path) override {
    std::vector<std::string> names;
    std::error_code code;
    for (std::filesystem::directory_iterator it{path, code}, end; !code && it != end;
         it.increment(code))
      names.push_back(it->path().filename().string());
    if (code) return system_error(path, "list", code.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  result<std::unique_ptr<directory_lock>>
  lock_directory(const std::filesystem::path& path) override {
    descriptor fd{open_retrying(path, O_RDONLY | O_DIRECTORY)};
    if (!fd) return system_error(path, "open directory", errno);
    struct statfs info {};
    if (::fstatfs(fd.get(), &info) != 0) return system_error(path, "statfs", errno);
    if (is_network_file_system(info.f_type))
      return {storage_errc::bad_input,
              path.string()
                  + " lies on a network file system, whose locks can't be trusted; "
                    "move it to a local disk"};
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return {storage_errc::locked, path.string() + " is locked"};
      return system_error(path, "flock", errno);
    }
    return std::unique_ptr<directory_lock>{std::make_unique<real_lock>(std::move(fd))};
  }
};

} // namespace

disk& real_disk() {
  static operating_system instance;
  return instance;
}

result<std::string> read_whole(disk& on, const std::filesystem::path& path,
                               std::uint64_t max_bytes) {
  auto opened = on.open(path, open_mode::read);
  if (!opened) return std::move(opened).error();
  auto& file = **opened;
  const auto size = file.size();
  if (!size) return size.error();
  if (*size > max_bytes)
    return {storage_errc::too_large, path.string() + " has " + std::to_string(*size)
                                         + " bytes, more than the " + std::to_string(max_bytes)
                                         + " that can be right"};
  std::string bytes(*size, '\0');
  const auto got = file.read_at(0, bytes);
  if (!got) return got.error();
  bytes.resize(*got);
  return bytes;
}

status replace_file(disk& on, const std::filesystem::path& path, std::string_view bytes) {
  auto temporary = path;
  temporary += ".new";
  {
    auto opened = on.open(temporary, open_mode::truncate);
    if (!opened) return std::move(opened).error();
    if (auto done = (*opened)->write_at(0, bytes); !done) return done;
    if (auto done = (*opened)->sync(); !done) return done;
  }
  if (auto done = on.rename(temporary, path); !done) return done;
  return on.sync_directory(path.parent_path());
}

} // namespace troupe
