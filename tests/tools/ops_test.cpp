#define CAF_SUITE ops
#include "runtime/config/configuration.hpp"
#include "tools/ops/bundle.hpp"
#include "tools/ops/doctor_host.hpp"
#include "tools/ops/init_files.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

using namespace troupe;
using namespace troupe::ops;
using namespace std::chrono_literals;

namespace {

struct folder {
  std::filesystem::path path;
  folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-ops-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~folder() { std::filesystem::remove_all(path); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream{path / name} << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in{path / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
};

std::string text_of(const std::vector<init_file>& files, const std::string& name) {
  for (const auto& each : files)
    if (each.name == name) return each.text;
  return {};
}

std::string first_error(const result<configuration>& loaded) {
  return loaded ? std::string{} : loaded.error().text;
}

} // namespace

// --- init ----------------------------------------------------------------------------------------

CAF_TEST(a_first_configuration_loads_and_changes_no_default_but_those_it_names) {
  const folder f;
  const auto done = write_init_files(f.path / "config");
  CAF_REQUIRE(done);
  CAF_CHECK(std::all_of(done->begin(), done->end(), [](const auto& x) { return x.written; }));
  const auto loaded = configuration::load({f.path / "config", {}, {}});
  CAF_REQUIRE_EQUAL(first_error(loaded), std::string{});
  CAF_CHECK_EQUAL(loaded->text("trading.mode"), "paper");
  CAF_CHECK_EQUAL(loaded->integer("metrics.port"), 9464);
  CAF_CHECK(loaded->names("venues").size() >= 12);
  struct stat info {};
  CAF_REQUIRE_EQUAL(::stat((f.path / "config/.env.example").c_str(), &info), 0);
  CAF_CHECK_EQUAL(info.st_mode & 0777, 0600u);
}

CAF_TEST(every_commented_default_is_the_default) {
  const folder f;
  const auto text = text_of(init_files(), "troupe.yaml");
  std::string uncommented;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    const bool setting = line.size() > 1 && line[0] == '#' && line[1] != '#';
    uncommented += (setting ? line.substr(1) : line) + "\n";
  }
  f.write("troupe.yaml", uncommented);
  const auto loaded = configuration::load({f.path, {}, {}});
  CAF_REQUIRE_EQUAL(first_error(loaded), std::string{});
  const auto plain = configuration::load({f.path / "none", {}, {}});
  CAF_REQUIRE_EQUAL(first_error(plain), std::string{});
  std::size_t compared = 0;
  for (const auto& row : all_settings()) {
    if (row.file != "troupe.yaml" || row.path.find('*') != std::string_view::npos) continue;
    // Each one stands in the file, with its default unless the file sets it.
    CAF_CHECK(loaded->values().find(row.path)->second.origin != "default");
    CAF_CHECK(text.find(std::string{row.doc}) != std::string::npos);
    if (row.path != "metrics.port") CAF_CHECK_EQUAL(loaded->text(row.path), plain->text(row.path));
    ++compared;
  }
  CAF_CHECK(compared > 40);
}

CAF_TEST(init_changes_no_file_that_is_there) {
  const folder f;
  f.write("troupe.yaml", "mine\n");
  const auto done = write_init_files(f.path);
  CAF_REQUIRE(done);
  CAF_CHECK_EQUAL(f.read("troupe.yaml"), "mine\n");
  for (const auto& each : *done)
    CAF_CHECK_EQUAL(each.written, each.name != "troupe.yaml");
  const auto again = write_init_files(f.path);
  CAF_REQUIRE(again);
  CAF_CHECK(std::none_of(again->begin(), again->end(), [](const auto& x) { return x.written; }));
  CAF_CHECK(!write_init_files("/proc/troupe"));
}

// --- doctor --------------------------------------------------------------------------------------

CAF_TEST(judgements_stand_where_their_limits_are) {
  CAF_CHECK(judge_clock({true, 1ms, 20ms, "chrony"}).is == verdict::pass);
  CAF_CHECK(judge_clock({true, 1ms, 101ms, "chrony"}).is == verdict::warn);
  CAF_CHECK(judge_clock({true, 1ms, 2s, "chrony"}).is == verdict::fail);
  CAF_CHECK(judge_clock({false, 0ms, 16s, ""}).is == verdict::warn);
  CAF_CHECK(judge_clock({false, 0ms, 16s, ""}).remedy.find("chrony") != std::string::npos);
  CAF_CHECK(judge_sync({1ms, 5ms, 200}, "/d").is == verdict::pass);
  CAF_CHECK(judge_sync({5us, 9us, 200}, "/d").is == verdict::warn); // never reaches a disk
  CAF_CHECK(judge_sync({1ms, 21ms, 200}, "/d").is == verdict::warn);
  CAF_CHECK(judge_sync({1ms, 201ms, 200}, "/d").is == verdict::fail);
  CAF_CHECK(judge_file_system(0xEF53, "/d").is == verdict::pass);
  for (const std::uint64_t network : {0x6969ull, 0xFF534D42ull, 0xFE534D42ull, 0x01021997ull})
    CAF_CHECK(judge_file_system(network, "/d").is == verdict::fail);
  CAF_CHECK(judge_file_system(0x01021994, "/d").is == verdict::warn);
  CAF_CHECK(judge_file_system(0x1234, "/d").is == verdict::warn);
  CAF_CHECK(judge_space(900'000'000, 1, "/d").is == verdict::fail);
  CAF_CHECK(judge_space(4'000'000'000, 1, "/d").is == verdict::warn);
  CAF_CHECK(judge_space(6'000'000'000, 1, "/d").is == verdict::pass);
  CAF_CHECK(judge_blas("/usr/lib/x/openblas-openmp/libblas.so.3").is == verdict::pass);
  CAF_CHECK(judge_blas("/usr/lib/x/blas/libblas.so.3.11.0").is == verdict::warn);
  CAF_CHECK(judge_blas("").is == verdict::warn);
  CAF_CHECK(judge_memory(2000, 1000).is == verdict::pass);
  CAF_CHECK(judge_memory(900, 1000).is == verdict::warn);
  CAF_CHECK(judge_memory(400, 1000).is == verdict::fail);
  CAF_CHECK(judge_descriptors(4096, 4096).is == verdict::pass);
  CAF_CHECK(judge_descriptors(1024, 4096).is == verdict::warn);
  CAF_CHECK(judge_descriptors(256, 4096).is == verdict::fail);
  CAF_CHECK(judge_certificate("c", -1).is == verdict::fail);
  CAF_CHECK(judge_certificate("c", 86400).is == verdict::warn);
  CAF_CHECK(judge_certificate("c", 86400 * 60).is == verdict::pass);
}

CAF_TEST(findings_are_told_worst_last_with_their_remedy) {
  const std::vector<finding> all{judge_space(1, 2, "/d"), judge_blas("openblas"), judge_descriptors(1024, 1)};
  CAF_CHECK(worst(all) == verdict::fail);
  CAF_CHECK(worst({all[1]}) == verdict::pass);
  CAF_CHECK(worst({}) == verdict::pass);
  const auto text = findings_text(all, false);
  CAF_CHECK(text.find("pass  blas") == 0);
  CAF_CHECK(text.find("fail") > text.find("warn"));
  CAF_CHECK(text.find("-> the journal stops") != std::string::npos);
  CAF_CHECK(text.find('\033') == std::string::npos);
  CAF_CHECK(findings_text(all, true).find("\033[31mfail") != std::string::npos);
  const auto json = findings_json(all);
  CAF_CHECK(json.starts_with("{\"ok\":false,\"checks\":[{\"check\":\"disk space\",\"verdict\":\"fail\""));
}

CAF_TEST(the_host_is_looked_at) {
  const folder f;
  const auto times = measure_sync(f.path, 200ms);
  CAF_REQUIRE(times);
  CAF_CHECK(times->writes >= 20);
  CAF_CHECK(times->p50 > 0ns);
  CAF_CHECK(times->p99 >= times->p50);
  CAF_CHECK(std::filesystem::is_empty(f.path)); // nothing is left behind
  CAF_CHECK(!measure_sync(f.path / "missing", 10ms));
  CAF_CHECK(file_system_of(f.path));
  CAF_CHECK(!file_system_of(f.path / "missing"));
  CAF_CHECK(available_memory() > 1'000'000);
  f.write("no.pem", "nothing\n");
  CAF_CHECK(!certificate_left(f.path / "no.pem"));
  CAF_CHECK(!certificate_left(f.path / "missing.pem"));
}

CAF_TEST(keys_that_others_may_read_and_open_data_folders_fail) {
  const folder f;
  f.write("config/.env", "TROUPE_A_KEY=abcdefgh\n");
  ::chmod((f.path / "config/.env").c_str(), 0644);
  std::filesystem::create_directories(f.path / "data");
  ::chmod((f.path / "data").c_str(), 0777);
  doctor_subject subject{
      .config = f.path / "config", .data = f.path / "data", .programs = f.path, .sync_for = 20ms};
  const auto verdict_of = [&](const std::string& check) {
    for (const auto& each : examine_host(subject))
      if (each.check == check) return each.is;
    CAF_FAIL("no check " << check);
  };
  CAF_CHECK(verdict_of("keys") == verdict::fail);
  CAF_CHECK(verdict_of("data folder") == verdict::fail);
  ::chmod((f.path / "config/.env").c_str(), 0600);
  ::chmod((f.path / "data").c_str(), 0700);
  CAF_CHECK(verdict_of("keys") == verdict::pass);
  CAF_CHECK(verdict_of("data folder") == verdict::pass);
}

CAF_TEST(links_between_hosts_need_their_certificates) {
  const folder f;
  const auto nodes = parse_nodes_conf("node a host=127.0.0.1 port=4410 roles=ingest tls=on\n", "nodes.conf");
  CAF_REQUIRE_EQUAL(nodes ? std::string{} : nodes.error().text, std::string{});
  f.write("config/tls/node.key", "key\n");
  ::chmod((f.path / "config/tls/node.key").c_str(), 0644);
  doctor_subject subject{
      .config = f.path / "config", .data = f.path, .nodes = &*nodes, .programs = f.path, .sync_for = 20ms};
  const auto found = [&](const std::string& check) {
    std::vector<finding> out;
    for (const auto& each : examine_host(subject))
      if (each.check == check) out.push_back(each);
    return out;
  };
  CAF_CHECK_EQUAL(found("certificate").size(), 2u); // neither is there
  for (const auto& each : found("certificate"))
    CAF_CHECK(each.is == verdict::fail);
  CAF_REQUIRE_EQUAL(found("node key").size(), 1u);
  CAF_CHECK(found("node key")[0].is == verdict::fail);
  ::chmod((f.path / "config/tls/node.key").c_str(), 0600);
  CAF_CHECK(found("node key")[0].is == verdict::pass);
}

// --- archives ------------------------------------------------------------------------------------

CAF_TEST(archives_have_the_form_of_ustar) {
  const auto tar =
      make_tar({{"a/b.txt", "hello"}, {"empty", ""}, {"c", std::string(512, 'x')}}, 1'700'000'000);
  CAF_REQUIRE(tar);
  CAF_CHECK_EQUAL(tar->size(), 512u * (2 + 1 + 2 + 2));
  CAF_CHECK_EQUAL(tar->substr(0, 7), "a/b.txt");
  CAF_CHECK_EQUAL(tar->substr(257, 5), "ustar");
  CAF_CHECK_EQUAL(tar->substr(100, 7), "0000600");
  CAF_CHECK_EQUAL(tar->substr(124, 11), "00000000005");
  CAF_CHECK_EQUAL(tar->substr(512, 5), "hello");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>((*tar)[i]);
  CAF_CHECK_EQUAL(std::stoul(tar->substr(148, 6), nullptr, 8), sum);
  for (const auto* bad : {"", "/etc/passwd", "../up"})
    CAF_CHECK(!make_tar({{bad, ""}}, 0));
  CAF_CHECK(!make_tar({{std::string(101, 'a'), ""}}, 0));
  CAF_CHECK(*packing_of("x.tar.zst") == packing::zstd);
  CAF_CHECK(*packing_of("x.tar.gz") == packing::gzip);
  CAF_CHECK(!packing_of("x.zip"));
}

CAF_TEST(what_is_packed_unpacks) {
  const std::string text(100'000, 'y');
  const auto zst = pack(text, packing::zstd);
  CAF_REQUIRE(zst);
  std::string out(text.size(), '\0');
  CAF_CHECK_EQUAL(ZSTD_decompress(out.data(), out.size(), zst->data(), zst->size()), text.size());
  CAF_CHECK_EQUAL(out, text);
  const auto gz = pack(text, packing::gzip);
  CAF_REQUIRE(gz);
  z_stream stream{};
  CAF_REQUIRE_EQUAL(inflateInit2(&stream, 15 + 16), Z_OK);
  std::fill(out.begin(), out.end(), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gz->data()));
  stream.avail_in = static_cast<uInt>(gz->size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CAF_CHECK_EQUAL(inflate(&stream, Z_FINISH), Z_STREAM_END);
  inflateEnd(&stream);
  CAF_CHECK_EQUAL(out, text);
}

// --- secrets -------------------------------------------------------------------------------------

CAF_TEST(values_go_in_every_form) {
  const std::string secret = "can+ary/83ac65d01f==";
  const secret_words words{{secret, "ab"}};
  CAF_CHECK_EQUAL(words.strip("x " + secret + " y"), "x [redacted] y");
  // Within a longer base64 text at each of three places; base64 of "x" and "xy" before it.
  for (const auto* form :
       {"Y2FuK2FyeS84M2FjNjVkMDFmPT0=", "eGNhbithcnkvODNhYzY1ZDAxZj09", "eHljYW4rYXJ5LzgzYWM2NWQwMWY9PQ=="})
    CAF_CHECK(words.strip(form).find("[redacted]") != std::string::npos);
  CAF_CHECK_EQUAL(words.strip("63616e2b6172792f383361633635643031663643d3d").find("[redacted]"),
                  std::string::npos);
  CAF_CHECK(words.strip("63616E2b6172792f383361633635643031663d3d").find("[redacted]") != std::string::npos);
  CAF_CHECK(words.strip("can%2Bary%2F83ac65d01f%3D%3D").find("[redacted]") != std::string::npos);
  CAF_CHECK_EQUAL(words.strip("abba"), "abba"); // too short to be looked for
}

CAF_TEST(words_that_announce_a_secret_lose_what_stands_behind_them) {
  const secret_words none{{}};
  CAF_CHECK_EQUAL(none.strip("TROUPE_MAIN_KEY=abc def"), "TROUPE_MAIN_KEY=[redacted] def");
  CAF_CHECK_EQUAL(none.strip("GET /x?a=1&signature=0011ff&b=2"), "GET /x?a=1&signature=[redacted]&b=2");
  CAF_CHECK_EQUAL(none.strip("X-MBX-APIKEY: qwerty\nHost: a"), "X-MBX-APIKEY: [redacted]\nHost: a");
  CAF_CHECK_EQUAL(none.strip("Authorization: Bearer a b\nX: y"), "Authorization: [redacted]\nX: y");
  CAF_CHECK_EQUAL(none.strip(R"({"listenKey":"abc","n":1})"), R"({"listenKey":"[redacted]","n":1})");
  CAF_CHECK_EQUAL(none.strip("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\nrest"),
                  "[redacted]\nrest");
  CAF_CHECK_EQUAL(none.strip("-----BEGIN CERTIFICATE-----\nAAAA\n"), "-----BEGIN CERTIFICATE-----\nAAAA\n");
  CAF_CHECK_EQUAL(none.strip("instruments: [BTC-USDT@binance]"), "instruments: [BTC-USDT@binance]");
  CAF_CHECK_EQUAL(none.strip("the key is lost"), "the key is lost");
}

CAF_TEST(a_bundle_holds_what_helps_and_no_canary) {
  const std::string key = "canary-key-4f1d9b7c2e";
  const std::string secret = "canary-secret-83ac65d01f";
  const folder f;
  f.write("config/.env",
          "TROUPE_MAIN_BINANCE_KEY=" + key + "\r\nTROUPE_MAIN_BINANCE_SECRET=" + secret + "\n");
  f.write("config/troupe.yaml", "# " + secret + "\ntrading:\n  mode: paper\n");
  f.write("config/nodes.conf", "node a host=127.0.0.1 port=1 roles=ingest\n");
  f.write("data/ingest.log", std::string(300'000, 'x') + "\nlast line " + key + "\n");
  f.write("data/exec/audit.log", "{\"verb\":\"halt\",\"secret\":\"" + secret + "\"}\n");
  f.write("data/" + key, "");
  const bundle_request request{f.path / "config",
                               f.path / "data",
                               {{"status.json", "{\"x\":\"" + secret + "\"}"}},
                               {"metrics of a: off"}};
  const auto files = collect_bundle(request);
  std::string all;
  std::string names;
  for (const auto& each : files) {
    all += each.name + "\n" + each.text;
    names += each.name + " ";
  }
  CAF_CHECK_EQUAL(all.find(key), std::string::npos);
  CAF_CHECK_EQUAL(all.find(secret), std::string::npos);
  for (const auto* name : {"status.json", "config/troupe.yaml", "config/nodes.conf", "config/env-names.txt",
                           "logs/ingest.log", "logs/exec.audit.log", "data.txt", "host.txt", "FAILED.txt"})
    CAF_CHECK(names.find(name) != std::string::npos);
  CAF_CHECK(all.find("last line [redacted]") != std::string::npos);
  CAF_CHECK(all.find("TROUPE_MAIN_BINANCE_KEY is set, 21 bytes") != std::string::npos);
  CAF_CHECK(all.find("mode: paper") != std::string::npos);
  CAF_CHECK(all.size() < 600'000); // logs are cut
  const auto file = f.path / "out.tar.gz";
  const auto written = write_bundle(request, file, 0);
  CAF_REQUIRE(written);
  CAF_CHECK_EQUAL(*written, std::filesystem::file_size(file));
  struct stat info {};
  CAF_REQUIRE_EQUAL(::stat(file.c_str(), &info), 0);
  CAF_CHECK_EQUAL(info.st_mode & 0777, 0600u);
  CAF_CHECK(!write_bundle(request, file, 0)); // never over another one
  CAF_CHECK(!write_bundle(request, f.path / "out.zip", 0));
}
