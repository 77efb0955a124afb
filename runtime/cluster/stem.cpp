#include "runtime/cluster/stem.hpp"

#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/spawn_process.hpp"
#include "runtime/cluster/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe {
namespace {

enum class run_state : std::uint8_t { waiting, starting, running, stopping, stopped, failed };

std::string_view to_string(run_state state) noexcept {
  switch (state) {
  case run_state::waiting: return "waiting";
  case run_state::starting: return "starting";
  case run_state::running: return "running";
  case run_state::stopping: return "stopping";
  case run_state::stopped: return "stopped";
  case run_state::failed: return "failed";
  }
  return "unknown";
}

constexpr std::size_t most_clients = 16;
constexpr std::size_t longest_command = 256;
constexpr nanoseconds client_patience = std::chrono::seconds{2};
constexpr std::array<std::pair<std::string_view, int>, 8> signal_names{{{"KILL", SIGKILL},
                                                                        {"TERM", SIGTERM},
                                                                        {"INT", SIGINT},
                                                                        {"ABRT", SIGABRT},
                                                                        {"SEGV", SIGSEGV},
                                                                        {"STOP", SIGSTOP},
                                                                        {"CONT", SIGCONT},
                                                                        {"QUIT", SIGQUIT}}};

steady_time now() noexcept {
  return {monotonic_ns()};
}

std::string end_text(int wait_status) {
  if (WIFEXITED(wait_status)) return "exit code " + std::to_string(WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

/// One node process and its history.
struct slot {
  explicit slot(const stem_process& process, const restart_options& restart)
      : spec{&process}, policy{restart} {}

  const stem_process* spec;
  restart_policy policy;
  run_state state = run_state::waiting;
  int pid = -1;
  owned_fd pipe;
  steady_time since{};
  steady_time started{};
  steady_time last_beat{};
  steady_time next_start{};
  std::optional<steady_time> ready;
  std::optional<steady_time> kill_at; // SIGKILL follows when it still lives then
  bool beat_seen = false;
  bool ever_ready = false;
  bool provoked = false; // an operator or the rig had a hand in its end
  bool stuck = false;
  bool says_stuck = false; // it told so itself
  bool again = false; // an operator asked for a restart
  std::uint64_t restarts = 0;
  std::uint64_t kills = 0;
  std::uintmax_t log_offset = 0;
  std::string last_exit;

  [[nodiscard]] bool alive() const noexcept { return pid > 0; }
  void enter(run_state next) {
    state = next;
    since = now();
  }
};

struct client {
  owned_fd fd;
  std::string line;
  steady_time until{};
};

class stem {
public:
  explicit stem(const stem_options& options) : options_{options} {
    for (const auto& process : options.processes) slots_.emplace_back(process, options.restart);
  }

  ~stem() {
    if (listening_) ::unlink(options_.socket.c_str());
    if (mask_taken_) sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
  }

  status open() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &old_mask_);
    mask_taken_ = true;
    signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) return fail("signalfd");
    return options_.socket.empty() ? status{ok} : listen();
  }

  int run() {
    for (auto& s : slots_) s.next_start = now();
    while (!finished()) {
      if (options_.turn) options_.turn();
      start_due();
      watch_health();
      advance_stop();
      if (finished()) break;
      wait();
    }
    const bool any_failed = std::any_of(slots_.begin(), slots_.end(),
                                        [](const slot& s) { return s.state == run_state::failed; });
    return any_failed ? 1 : exit_code_;
  }

private:
  // --- starting ----------------------------------------------------------------------------------

  void say(const std::string& text) const {
    if (options_.say) options_.say(text);
  }

  static error fail(const std::string& what) {
    return {make_error_code(cluster_errc::failed), what + ": " + std::strerror(errno)};
  }

  void start_due() {
    if (stopping_) return;
    for (auto& s : slots_)
      if (s.state == run_state::waiting && now() >= s.next_start) start(s);
  }

  void start(slot& s) {
    std::error_code none;
    s.log_offset = std::filesystem::file_size(s.spec->log_file, none);
    if (none) s.log_offset = 0;
    auto spawned = spawn_process(s.spec->command, s.spec->log_file, s.spec->heartbeat);
    s.provoked = s.stuck = s.says_stuck = s.beat_seen = s.again = false;
    s.kill_at.reset();
    s.ready.reset();
    if (!spawned) {
      s.last_exit = spawned.error().text;
      give_up(s, spawned.error().text);
      return;
    }
    s.pid = spawned->pid;
    s.pipe = std::move(spawned->heartbeat);
    s.started = s.last_beat = now();
    s.enter(run_state::starting);
    if (!s.spec->heartbeat) become_ready(s);
  }

  void become_ready(slot& s) {
    if (s.ready) return;
    s.ready = now();
    s.ever_ready = true;
    if (s.state == run_state::starting) s.enter(run_state::running);
    const bool all =
        std::all_of(slots_.begin(), slots_.end(), [](const slot& x) { return x.ready.has_value(); });
    if (!all || all_ready_told_) return;
    all_ready_told_ = true;
    if (options_.all_ready) options_.all_ready();
  }

  // --- health ------------------------------------------------------------------------------------

  void read_beats(slot& s) {
    char bytes[256];
    for (;;) {
      const auto got = ::read(s.pipe.get(), bytes, sizeof bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        if (got == 0) s.pipe.reset(); // the process is ending; waitpid tells the rest
        return;
      }
      s.last_beat = now();
      s.beat_seen = true;
      const auto says = [&](char word) { return std::memchr(bytes, word, static_cast<std::size_t>(got)) != nullptr; };
      if (says('R')) become_ready(s);
      s.says_stuck = s.says_stuck || says('S');
    }
  }

  [[nodiscard]] steady_time silent_at(const slot& s) const {
    if (s.says_stuck) return s.last_beat;
    return s.last_beat + (s.beat_seen ? options_.silence : options_.first_beat);
  }

  void watch_health() {
    for (auto& s : slots_) {
      if (!s.alive()) continue;
      if (s.kill_at && now() >= *s.kill_at) {
        say("node " + s.spec->name + " (pid " + std::to_string(s.pid) + ") did not end; killing it");
        ::kill(s.pid, SIGKILL);
        s.kill_at.reset();
        continue;
      }
      const bool judged = s.spec->heartbeat && !s.stuck && s.state != run_state::stopping;
      if (!judged || now() < silent_at(s)) continue;
      s.stuck = true;
      s.kill_at = now() + options_.abort_grace;
      say("node " + s.spec->name + " (pid " + std::to_string(s.pid) + ") "
          + (s.says_stuck ? std::string{"says that something in it does not return (see its log)"}
                          : "made no progress for " + std::to_string(whole_millis(now() - s.last_beat)) + " ms")
          + "; aborting it");
      ::kill(s.pid, SIGABRT);
    }
  }

  // --- ends --------------------------------------------------------------------------------------

  void reap() {
    for (auto& s : slots_) {
      if (!s.alive()) continue;
      int how = 0;
      if (::waitpid(s.pid, &how, WNOHANG) == s.pid) ended(s, how);
    }
  }

  void ended(slot& s, int how) {
    if (s.pipe) read_beats(s);
    const auto pid = s.pid;
    std::optional<nanoseconds> ready_for;
    if (s.ready) ready_for = now() - *s.ready;
    s.pid = -1;
    s.pipe.reset();
    s.ready.reset();
    s.kill_at.reset();
    s.last_exit = end_text(how);
    if (s.stuck) s.last_exit += s.says_stuck ? ", after it said that it is stuck" : ", after its heartbeat fell silent";
    if (stopping_) {
      s.enter(run_state::stopped);
      return;
    }
    if (s.again || s.provoked) s.policy.forgive();
    // What an operator stopped (SIGSTOP) and the watchdog then killed is the operator's doing as well.
    const auto end = s.again ? process_end::outside : classify_end(how, s.provoked, s.stuck && !s.provoked);
    auto pause = s.policy.ended(end, ready_for, now());
    if (s.again || s.provoked) pause = nanoseconds{0};
    const auto who = "node " + s.spec->name + " (pid " + std::to_string(pid) + ")";
    if (end == process_end::finished && !s.again) {
      say(who + " ended in order");
      s.enter(run_state::stopped);
      return;
    }
    const auto words =
        end == process_end::outside ? std::string{} : last_line(s.spec->log_file, s.log_offset);
    if (!pause) {
      give_up(s, s.last_exit + (words.empty() ? "" : ": " + words));
      return;
    }
    say(who + " ended by " + s.last_exit + (words.empty() ? "" : ": " + words) + "; starting it again in "
        + std::to_string(whole_millis(*pause)) + " ms");
    ++s.restarts;
    s.next_start = now() + *pause;
    s.enter(run_state::waiting);
  }

  void give_up(slot& s, const std::string& why) {
    s.enter(run_state::failed);
    say("node " + s.spec->name + " is not started again: " + why + "; see " + s.spec->log_file.string());
    const bool any_left = std::any_of(slots_.begin(), slots_.end(), [](const slot& x) {
      return x.state != run_state::failed && x.state != run_state::stopped;
    });
    if (s.ever_ready && any_left) return; // the others go on without it; `restart NAME` brings it back
    exit_code_ = 1;
    begin_stop("node " + s.spec->name + " can't run");
  }

  [[nodiscard]] bool finished() const {
    const bool any_alive =
        std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.alive(); });
    if (any_alive) return false;
    return stopping_ || std::all_of(slots_.begin(), slots_.end(), [](const slot& s) {
             return s.state == run_state::stopped || s.state == run_state::failed;
           });
  }

  // --- ordered stop ------------------------------------------------------------------------------

  void begin_stop(const std::string& why) {
    if (stopping_) return;
    stopping_ = true;
    if (options_.stopping) options_.stopping();
    stop_until_ = now() + options_.stop_within;
    for (auto& s : slots_)
      if (!s.alive() && s.state == run_state::waiting) s.enter(run_state::stopped);
    if (!slots_.empty()) say("stopping: " + why);
  }

  /// Last started, first stopped; one after the other, because the later ones lean on the earlier ones.
  void advance_stop() {
    if (!stopping_) return;
    const auto next = std::find_if(slots_.rbegin(), slots_.rend(), [](const slot& s) { return s.alive(); });
    if (next == slots_.rend()) return;
    auto& s = *next;
    if (s.state == run_state::stopping) return;
    s.enter(run_state::stopping);
    const bool last = std::none_of(std::next(next), slots_.rend(), [](const slot& x) { return x.alive(); });
    const auto left = std::max(stop_until_ - now(), nanoseconds{0});
    s.kill_at = now() + (last ? left : left / 2);
    ::kill(s.pid, SIGTERM);
    ::kill(s.pid, SIGCONT); // a stopped one could not hear it
  }

  void kill_all() {
    for (auto& s : slots_)
      if (s.alive()) ::kill(s.pid, SIGKILL);
  }

  // --- waiting -----------------------------------------------------------------------------------

  [[nodiscard]] int patience() const {
    auto until = now() + std::chrono::seconds{1};
    const auto sooner = [&](steady_time t) { until = std::min(until, t); };
    for (const auto& s : slots_) {
      if (s.kill_at) sooner(*s.kill_at);
      if (!stopping_ && s.state == run_state::waiting) sooner(s.next_start);
      if (s.alive() && s.spec->heartbeat && !s.stuck) sooner(silent_at(s));
    }
    for (const auto& c : clients_) sooner(c.until);
    return static_cast<int>(std::clamp<std::int64_t>(whole_millis(until - now()) + 1, 0, 1000));
  }

  void wait() {
    std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& s : slots_) fds.push_back({s.pipe.get(), POLLIN, 0});
    for (const auto& c : clients_) fds.push_back({c.fd.get(), POLLIN, 0});
    if (::poll(fds.data(), fds.size(), patience()) < 0) return;
    std::size_t i = 2;
    for (auto& s : slots_)
      if (fds[i++].revents != 0 && s.pipe) read_beats(s);
    for (auto c = clients_.begin(); c != clients_.end();) {
      const bool keep = fds[i++].revents != 0 ? serve(*c) : now() < c->until;
      c = keep ? std::next(c) : clients_.erase(c);
    }
    if (fds[1].revents != 0) accept_client();
    if (fds[0].revents != 0) read_signals();
    reap();
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      const auto signal = static_cast<int>(info.ssi_signo);
      if (signal == SIGCHLD) continue;
      if (stopping_ && signal != SIGHUP) kill_all();
      begin_stop(std::string{"signal "} + ::strsignal(signal));
    }
  }

  // --- the socket --------------------------------------------------------------------------------

  status listen() {
    auto place = socket_place::of(options_.socket);
    if (!place) return std::move(place).error();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, place->path().c_str(), place->path().size() + 1);
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    const owned_fd test{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (test && ::connect(test.get(), where, sizeof address) == 0)
      return {cluster_errc::conflict,
              options_.socket.string()
                  + ": another `troupe up` runs on this data directory; stop it, or name another --data"};
    ::unlink(place->path().c_str());
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener_) return fail("socket");
    const auto before = ::umask(0077);
    const int bound = ::bind(listener_.get(), where, sizeof address);
    ::umask(before);
    if (bound != 0 || ::listen(listener_.get(), most_clients) != 0) return fail(options_.socket.string());
    listening_ = true;
    return ok;
  }

  void accept_client() {
    owned_fd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!fd || clients_.size() >= most_clients) return;
    clients_.push_back({std::move(fd), {}, now() + client_patience});
  }

  /// False when the client is done with.
  bool serve(client& c) {
    char bytes[longest_command];
    const auto got = ::recv(c.fd.get(), bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) return false;
    c.line.append(bytes, static_cast<std::size_t>(got));
    const auto end = c.line.find('\n');
    if (end == std::string::npos) return c.line.size() <= longest_command;
    const auto answer = carry_out(c.line.substr(0, end)) + "\n";
    [[maybe_unused]] const auto sent = ::send(c.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    return false;
  }

  static std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> out;
    std::size_t from = 0;
    while (from < line.size()) {
      const auto end = std::min(line.find(' ', from), line.size());
      if (end > from) out.push_back(line.substr(from, end - from));
      from = end + 1;
    }
    return out;
  }

  std::string carry_out(const std::string& line) {
    const auto words = words_of(line);
    if (words.empty()) return "refused: no command";
    if (words[0] == "status" && words.size() == 1) return status_json();
    if (words[0] == "stop" && words.size() == 1) {
      begin_stop("asked to");
      return R"({"done":true})";
    }
    const bool kill = words[0] == "kill" && (words.size() == 2 || words.size() == 3);
    const bool restart = words[0] == "restart" && words.size() == 2;
    if (!kill && !restart)
      return "refused: unknown command '" + line
             + "'; there are status, kill NAME [SIGNAL], restart NAME, stop";
    const auto s =
        std::find_if(slots_.begin(), slots_.end(), [&](const slot& x) { return x.spec->name == words[1]; });
    if (s == slots_.end()) return "refused: no node '" + words[1] + "' here";
    if (stopping_) return "refused: everything is being stopped";
    return kill ? kill_node(*s, words.size() == 3 ? words[2] : "KILL") : restart_node(*s);
  }

  std::string kill_node(slot& s, const std::string& word) {
    const auto bare = word.starts_with("SIG") ? word.substr(3) : word;
    int signal = 0;
    for (const auto& [name, number] : signal_names)
      if (bare == name) signal = number;
    if (signal == 0) std::from_chars(bare.data(), bare.data() + bare.size(), signal);
    if (signal < 1 || signal > 31) return "refused: unknown signal '" + word + "'";
    if (!s.alive()) return "refused: node '" + s.spec->name + "' does not run";
    if (signal != SIGCONT) s.provoked = true;
    if (signal != SIGCONT && signal != SIGSTOP) ++s.kills;
    if (::kill(s.pid, signal) != 0) return std::string{"refused: "} + std::strerror(errno);
    return R"({"done":true,"pid":)" + std::to_string(s.pid) + "}";
  }

  std::string restart_node(slot& s) {
    if (s.alive()) {
      s.provoked = s.again = true;
      s.kill_at = now() + options_.stop_within / 2;
      ::kill(s.pid, SIGTERM);
      ::kill(s.pid, SIGCONT);
    } else {
      s.policy.forgive();
      s.next_start = now();
      s.enter(run_state::waiting);
    }
    return R"({"done":true})";
  }

  [[nodiscard]] std::string status_json() const {
    json_writer w;
    const bool all =
        std::all_of(slots_.begin(), slots_.end(), [](const slot& x) { return x.ready.has_value(); });
    w.begin_object().field("pid", ::getpid()).field("stopping", stopping_).field("ready", all);
    w.key("nodes").begin_array();
    for (const auto& s : slots_) {
      w.begin_object().field("node", s.spec->name).field("pid", s.pid).field("state", to_string(s.state));
      w.field("ready", s.ready.has_value()).field("restarts", s.restarts).field("kills", s.kills);
      w.field("silent_ms", s.alive() ? whole_millis(now() - s.last_beat) : 0)
          .field("since_ms", whole_millis(now() - s.since));
      w.field("last_exit", s.last_exit).end_object();
    }
    w.end_array().end_object();
    return std::move(w).text();
  }

  const stem_options& options_;
  std::list<slot> slots_;
  std::list<client> clients_;
  owned_fd signals_;
  owned_fd listener_;
  sigset_t old_mask_{};
  bool mask_taken_ = false;
  bool listening_ = false;
  bool stopping_ = false;
  bool all_ready_told_ = false;
  steady_time stop_until_{};
  int exit_code_ = 0;
};

} // namespace

result<int> run_stem(const stem_options& options) {
  stem parent{options};
  if (auto opened = parent.open(); !opened) return std::move(opened).error();
  return parent.run();
}

} // namespace troupe
