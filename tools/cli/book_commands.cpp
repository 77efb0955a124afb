#include "messages/consolidated.hpp"
#include "messages/json.hpp"
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

using namespace std::chrono_literals;

struct book_words {
  std::string what; ///< "BTC-USDT" or "BTC-USDT@binance"
  std::uint32_t depth = 10;
  std::uint32_t columns = 0;
};

result<consolidated_page> ask_for_book(const global_options& global, const book_words& words) {
  const auto config = load_configuration(global);
  if (!config) return config.error();
  const auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return nodes.error();
  const instrument_id named{words.what};
  book_query query;
  if (!named.venue().empty()) query.only = named;
  query.depth = words.depth;
  query.columns = words.columns;
  const auto settings = client_settings(global);
  if (!settings) return settings.error();
  cluster_client client{*nodes, *settings};
  result<consolidated_page> out{
      error{make_error_code(cluster_errc::not_found), "nodes.conf has no ingest node"}};
  for (const auto* node : nodes->with(node_role::ingest)) {
    const auto whom =
        client.find<consolidator_actor>(node->name.text, "consolidator/" + std::string{named.symbol()});
    if (!whom) {
      out = whom.error();
      continue;
    }
    out = client.ask<consolidated_page>(*whom, 2s, query);
    if (out) return out;
  }
  if (!out && out.error().code == cluster_errc::not_found)
    return error{out.error().code, "no running node merges books of " + std::string{named.symbol()}
                                       + "; is it under instruments and consolidate? " + out.error().text};
  return out;
}

std::string price_text(const consolidated_page& page, price p) {
  return format_decimal(p.raw, page.price_scale);
}
std::string size_text(const consolidated_page& page, size s) {
  return format_decimal_short(s.raw, page.size_scale);
}
std::string fine_text(const consolidated_page& page, std::int64_t e3) {
  return format_decimal_short(e3, page.price_scale + 3);
}
std::string percent(std::int64_t ppm) {
  return format_decimal_short(ppm / 100, 2) + " %";
}

/// "binance 0.5, kraken 1.2" of a level.
std::string shares_text(const consolidated_page& page, const merged_level& l) {
  std::string out;
  for (std::size_t v = 0; v < l.by_venue.size() && v < page.venues.size(); ++v) {
    if (l.by_venue[v].raw == 0) continue;
    out += (out.empty() ? "" : ", ") + std::string{page.venues[v].instrument.venue()} + " "
           + size_text(page, l.by_venue[v]);
  }
  return out;
}

void print_levels(const consolidated_page& page) {
  for (auto a = page.asks.rbegin(); a != page.asks.rend(); ++a)
    std::printf("  ask %14s %16s   %s\n", price_text(page, a->at).c_str(),
                size_text(page, a->quantity).c_str(), shares_text(page, *a).c_str());
  std::printf("      %s\n", std::string(34, '-').c_str());
  for (const auto& b : page.bids)
    std::printf("  bid %14s %16s   %s\n", price_text(page, b.at).c_str(), size_text(page, b.quantity).c_str(),
                shares_text(page, b).c_str());
}

void print_venues(const consolidated_page& page) {
  for (const auto& v : page.venues) {
    std::printf("  %-28s %-8s", v.instrument.text.c_str(), std::string{name_of(v.standing)}.c_str());
    if (v.standing == venue_standing::joined)
      std::printf(" bid %s ask %s spread %s, share of bids %s, of asks %s",
                  price_text(page, v.bid.at).c_str(), price_text(page, v.ask.at).c_str(),
                  price_text(page, v.spread).c_str(), percent(v.bid_share_ppm).c_str(),
                  percent(v.ask_share_ppm).c_str());
    if (!v.rate.text.empty())
      std::printf(" by %s at %s / %s", v.rate.text.c_str(),
                  format_decimal_short(v.rate_bid.raw, v.rate_scale).c_str(),
                  format_decimal_short(v.rate_ask.raw, v.rate_scale).c_str());
    std::printf("\n");
  }
}

void print_book(const consolidated_page& page) {
  std::printf("%s\n", page.symbol.c_str());
  print_levels(page);
  if (page.mid_e3 != 0)
    std::printf("mid %s, microprice %s\n", fine_text(page, page.mid_e3).c_str(),
                fine_text(page, page.micro_e3).c_str());
  if (page.imbalance_known) {
    std::printf("imbalance of +-20 buckets of %s: %s now", price_text(page, page.bucket_width).c_str(),
                percent(page.imbalance_ppm).c_str());
    for (const auto& a : page.averages)
      std::printf(", %s over %lld s", percent(a.ppm).c_str(), static_cast<long long>(a.window / 1s));
    std::printf("%s\n", page.buckets_whole ? "" : " (a book does not reach over all buckets)");
  }
  for (const auto& a : page.arbitrages)
    std::printf("arbitrage: %s bids above the ask of %s, gain %s each for %s after the fees that are given\n",
                page.venues[a.sell_at].instrument.text.c_str(), page.venues[a.buy_at].instrument.text.c_str(),
                price_text(page, a.gain).c_str(), size_text(page, a.quantity).c_str());
  print_venues(page);
}

int book_command(const global_options& global, const book_words& words) {
  const auto page = ask_for_book(global, words);
  if (!page) return fail(page.error());
  if (global.json)
    std::cout << to_json(*page) << '\n';
  else
    print_book(*page);
  const instrument_id named{words.what};
  for (const auto& v : page->venues)
    if (v.standing == venue_standing::joined && (named.venue().empty() || v.instrument == named)) return 0;
  std::fprintf(stderr, "troupe: no venue's book of %s is valid now\n", words.what.c_str());
  return 1;
}

} // namespace

void add_book_command(CLI::App& app, global_options& global) {
  auto words = std::make_shared<book_words>();
  auto* book = app.add_subcommand(
      "book", "The merged book of a symbol, or one venue's part of it; exit code 1 when none is valid");
  book->add_option("SYMBOL", words->what, "BTC-USDT for all venues, BTC-USDT@binance for one")->required();
  book->add_option("--depth", words->depth, "Levels a side; 0 = all there are")->capture_default_str();
  book->add_option("--columns", words->columns, "With --json: newest columns of the heat map");
  book->callback(run(global, [&global, words] { return book_command(global, *words); }));
}

} // namespace troupe::cli
