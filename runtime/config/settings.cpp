#include "runtime/config/configuration.hpp"

namespace troupe {
namespace {

using enum setting_kind;

// The one table of settings. `troupe config show` prints it with values and origins.
constexpr setting table[] = {
    // --- cluster ---------------------------------------------------------------------------------
    {"cluster.nodes", text, "nodes.conf", "troupe.yaml", "which nodes may join; relative to the configuration folder"},
    {"cluster.ssh", text, "ssh -o BatchMode=yes", "troupe.yaml", "program and options that start the nodes of other hosts"},
    {"placement.pins", text_list, "", "troupe.yaml",
     "what runs on a chosen node, KEY=NODE: an instrument, consolidator/SYMBOL, model/NAME, trainer/NAME; the rest is spread by hash"},
    {"placement.settle", duration, "30s", "troupe.yaml",
     "a node that came back is up for so long before what belongs there goes home", "0s"},
    {"placement.pause", duration, "5s", "troupe.yaml", "between two things that go home", "0s"},
    {"cluster.tls.directory", text, "tls", "troupe.yaml",
     "certificates: a node's own ca.pem, node.pem and node.key in DIRECTORY/NODE or DIRECTORY; relative to the configuration folder"},
    {"cluster.tls.payload_max", integer, "67108864", "troupe.yaml",
     "largest message between nodes behind TLS, bytes; a peer that claims more is closed", "65536"},
    {"cluster.rig.faults", text, "", "troupe.yaml",
     "file of faults that the TLS front puts on links, for torture only; empty = none"},
    {"log.level", text, "info", "troupe.yaml", "debug, info, warn or error", {}, "debug|info|warn|error"},
    {"metrics.port", integer, "0", "troupe.yaml",
     "first node of nodes.conf serves http://127.0.0.1:PORT/metrics, the second one port above it, and so on; 0 = no metrics", "0"},

    // --- clocks ----------------------------------------------------------------------------------
    {"clock.market.rate", decimal, "1", "troupe.yaml",
     "how fast market time runs against the steady clock; 1 with real venues, faster with tapes", "0.001"},
    {"clock.market.origin", integer, "0", "troupe.yaml",
     "market time in ns since 1970 at clock.market.steady; 0 = market time is the wall clock"},
    {"clock.market.steady", integer, "0", "troupe.yaml", "steady time in ns that belongs to clock.market.origin"},

    // --- what is traded and watched --------------------------------------------------------------
    {"instruments", text_list, "BTC-USDT@binance", "troupe.yaml", "instruments whose feeds and predictors run"},
    {"source.kind", text, "live", "troupe.yaml",
     "live, tape, looped or generated: what the market data is; shown wherever figures are shown", {}, "live|tape|looped|generated"},
    {"source.lap_origin", integer, "0", "troupe.yaml", "market time in ns at which the first lap of a looped tape starts"},
    {"source.lap_length", duration, "0s", "troupe.yaml",
     "market time from seam to seam of a looped tape; outcomes that span a seam are not scored; 0s = no seams", "0s"},

    {"consolidate", text_list, "auto", "troupe.yaml",
     "symbols whose books are merged over venues; auto = every symbol of instruments; none = no merged book"},
    {"books.*.also", text_list, "", "troupe.yaml",
     "further instruments of this merged book, quoted in another currency: BTC-USD@coinbase in the book of BTC-USDT"},
    {"books.*.rate", text, "", "troupe.yaml",
     "instrument whose live price converts them, USDT-USD@kraken; without one they stay apart"},
    {"books.*.bucket", decimal, "0", "troupe.yaml",
     "width of a price bucket; 0 = 10 for BTC, 1 for ETH, else 1000 ticks", "0"},
    {"backfill.lookback", duration, "24h", "troupe.yaml",
     "bars of this much market time before the start are fetched where they are missing; 0s = no back-fill", "0s"},
    {"backfill.intervals", text_list, "1m,5m,15m,1h,4h,1d", "troupe.yaml", "lengths of the bars that are fetched"},
    {"backfill.trades", duration, "15m", "troupe.yaml",
     "how far back single trades that a feed missed are fetched from the venue; 0: not at all"},
    {"backfill.requests", integer, "20", "troupe.yaml", "REST requests a minute and venue, at most", "1"},

    // --- feeds -----------------------------------------------------------------------------------
    {"feed.stale_after", duration, "10s", "troupe.yaml", "market time without any change after which a book is stale", "1ms"},

    // --- learning --------------------------------------------------------------------------------
    {"predictor.interval", duration, "10s", "troupe.yaml", "market time between predictions; divides one minute", "1s"},
    {"predictor.model", text, "cnn", "troupe.yaml", "model that predictors ask"},
    {"predictor.ask_timeout", duration, "2s", "troupe.yaml", "steady time a predictor waits for the model", "1ms"},
    {"predictor.late_tolerance", duration, "30s", "troupe.yaml",
     "market time after the due instant within which a late outcome is still taken", "0s"},
    {"models.*.label", text, "", "models.yaml", "only model nodes with this label in nodes.conf may serve it; empty = all"},
    {"models.*.width", integer, "16", "models.yaml", "channels of the convolutional layers", "1"},
    {"models.*.seed", integer, "1", "models.yaml", "seed of the initial weights"},
    {"models.*.learning_rate", decimal, "0.0003", "models.yaml", "step size of AdamW", "0"},
    {"models.*.weight_decay", decimal, "0.3", "models.yaml", "decoupled weight decay of AdamW", "0"},
    {"models.*.batch", integer, "16", "models.yaml", "samples of one training step", "1"},
    {"models.*.checkpoint_samples", integer, "128", "models.yaml", "samples between checkpoints", "1"},
    {"models.*.checkpoint_every", duration, "10s", "models.yaml", "steady time between checkpoints, at most", "100ms"},
    {"models.*.max_batch", integer, "64", "models.yaml", "largest batch of one inference", "1"},
    {"models.*.batch_wait", duration, "200us", "models.yaml", "steady time a request may wait for its batch to fill", "0s"},

    // --- trading ---------------------------------------------------------------------------------
    {"trading.mode", text, "paper", "troupe.yaml", "paper, testnet or live; live needs --confirm=ACCOUNT at the start", {}, "paper|testnet|live"},
    {"trading.account", text, "main@binance", "troupe.yaml", "account that trades"},
    {"trading.gateway", text, "paper", "troupe.yaml",
     "paper = the in-process paper venue; venue = the venue's own API (a simulator in paper mode)", {}, "paper|venue"},
    {"trading.cash", decimal, "100000", "troupe.yaml", "starting cash of the paper venue, quote asset", "0"},
    {"orchestrator.dead_band", decimal, "0.02", "troupe.yaml", "signals nearer to zero keep the position", "0"},
    {"orchestrator.shape", text, "linear", "troupe.yaml", "linear: position in proportion to the signal; sign: all of it", {}, "linear|sign"},
    {"orchestrator.full_score", decimal, "0.5", "troupe.yaml", "linear: signal that means the whole position", "0.000001"},
    {"orchestrator.max_position", decimal, "0.02", "troupe.yaml", "position at a full signal, base asset", "0"},
    {"orchestrator.long_only", boolean, "true", "troupe.yaml", "spot: never sell what was not bought before"},
    {"orchestrator.min_holding", duration, "30s", "troupe.yaml", "market time between changes of direction, at least", "0s"},
    {"orchestrator.prediction_age", duration, "60s", "troupe.yaml", "market time after which a prediction no longer counts", "1ms"},
    {"executor.order_life", duration, "20s", "troupe.yaml", "market time after which a resting order is cancelled and renewed", "1ms"},
    {"executor.reprice_ticks", integer, "1", "troupe.yaml", "a resting order further than this from the touch is renewed", "0"},
    {"executor.layers", integer, "1", "troupe.yaml",
     "resting orders into which what is missing to a target is split, the first at the touch", "1"},
    {"executor.layer_ticks", integer, "10", "troupe.yaml", "how far apart these orders lie", "1"},
    {"executor.intent_life", duration, "10s", "troupe.yaml", "market time after which an intent is not sent any more", "1ms"},
    {"executor.cross_after", duration, "60s", "troupe.yaml", "market time after which the rest of a target is taken from the book", "0s"},
    {"risk.max_position", decimal, "0.05", "troupe.yaml", "largest net position with all open orders filled, base asset", "0"},
    {"risk.max_order", decimal, "0.05", "troupe.yaml", "largest order, base asset", "0"},
    {"risk.max_notional", decimal, "10000", "troupe.yaml", "largest order value, quote asset", "0"},
    {"risk.max_open_orders", integer, "8", "troupe.yaml", "orders at the venue or unknown, at most", "1"},
    {"risk.order_rate", integer, "20", "troupe.yaml", "orders in any one second of steady time, at most", "1"},
    {"risk.collar", decimal, "0.01", "troupe.yaml", "largest distance of a limit price from the touch, as a ratio", "0"},
    {"risk.stale_after", duration, "10s", "troupe.yaml", "market age of the newest quote above which orders are denied", "1ms"},

    // --- venues ----------------------------------------------------------------------------------
    {"venues.*.label", text, "", "venues.yaml",
     "only ingest nodes with this label in nodes.conf may watch its instruments; empty = all"},
    {"venues.*.rest", text, "", "venues.yaml", "base URL of the REST API"},
    {"venues.*.stream", text, "", "venues.yaml", "base URL of the market-data socket"},
    {"venues.*.swap_rest", text, "", "venues.yaml", "base URL of the REST API of swaps, where it is another one"},
    {"venues.*.swap_stream", text, "", "venues.yaml", "base URL of the sockets of swaps, where it is another one"},
    {"venues.*.swap_book", text, "", "venues.yaml", "book channel of swaps, where they have another one"},
    {"venues.*.api", text, "", "venues.yaml", "URL of the WebSocket API (user data)"},
    {"venues.*.ca", text, "", "venues.yaml", "file of the authority that signed the venue's certificate; empty = the system's"},
    {"venues.*.window", duration, "5s", "venues.yaml", "how long a signed request stays valid, in the venue's time", "1ms"},
    {"venues.*.book", text, "", "venues.yaml", "book channel to subscribe to; empty = the venue's default, see troupe venue list"},
    {"venues.*.weight", integer, "6000", "venues.yaml", "REST weight that the venue allows within weight_window", "1"},
    {"venues.*.weight_window", duration, "60s", "venues.yaml", "the window of weight", "100ms"},
    {"venues.*.orders", integer, "50", "venues.yaml", "orders in ten seconds that the venue allows an account", "1"},
    {"venues.*.taker_fee", decimal, "0", "venues.yaml",
     "taker fee as a ratio, for the arbitrage flag of merged books; 0 = not given", "0"},
    {"venues.*.quiet.book", duration, "0s", "venues.yaml",
     "a book's topic silent for so long is subscribed again, its socket replaced after as much again; 0s = as built in", "0s"},
    {"venues.*.quiet.trades", duration, "0s", "venues.yaml",
     "a topic of trades or candles silent for so long is subscribed again; 0s = as built in", "0s"},
    {"venues.*.quiet.bbo", duration, "0s", "venues.yaml",
     "a topic of best bid and ask silent for so long is subscribed again; 0s = as built in", "0s"},
    {"venues.*.quiet.heartbeat", duration, "0s", "venues.yaml",
     "a socket without a frame or ping for so long is replaced; 0s = as built in", "0s"},
    {"venues.*.quiet.checked", text, "", "venues.yaml", "date on which the quiet times were last checked"},
    {"venues.*.checked", text, "", "venues.yaml", "date on which hosts and limits were last checked"},
    {"venues.*.instruments.*.symbol", text, "", "venues.yaml", "the venue's own spelling of the instrument"},
    {"venues.*.instruments.*.price_scale", integer, "2", "venues.yaml", "decimals of a price", "0"},
    {"venues.*.instruments.*.size_scale", integer, "8", "venues.yaml", "decimals of a size", "0"},
    {"venues.*.instruments.*.tick", decimal, "0.01", "venues.yaml", "price step until the venue states it", "0.000000001"},
    {"venues.*.instruments.*.lot", decimal, "0.00001", "venues.yaml", "size step until the venue states it", "0.000000001"},
    {"venues.*.instruments.*.kind", text, "", "venues.yaml",
     "spot, linear or inverse; empty = linear for names ending in -PERP, else spot", {}, "|spot|linear|inverse"},
    {"venues.*.instruments.*.contract_value", decimal, "1", "venues.yaml",
     "value of one unit of size: in the base asset, for inverse contracts in the quote asset", "0.00000001"},
    {"venues.*.instruments.*.min_notional", decimal, "5", "venues.yaml", "smallest order value until the venue states it", "0"},
    {"venues.*.processing", duration, "10s", "venues.yaml",
     "after this time, of the market and of this machine, an order that the venue has never heard of will not appear", "1ms"},
};

} // namespace

std::span<const setting> all_settings() { return table; }

} // namespace troupe
