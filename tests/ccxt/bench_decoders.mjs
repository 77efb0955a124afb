// The recorded frames of `troupe bench decoders --clients` through two other projects: ccxt's own message handlers with
// its order books, and tardis-dev's mappers with its order book.
//
//   node bench_decoders.mjs FOLDER [runs]
//
// FOLDER holds VENUE.jsonl, a line a frame: {"symbol":…,"text":…}. Prints {"kraken":{"ccxt":ns,"tardis":ns},…}: the
// median over the runs, JSON.parse included, each run with fresh books. Where a client ends without a book its figure is 0.
import fs from 'node:fs';
import path from 'node:path';
import ccxt from 'ccxt';
import tardis from 'tardis-dev';

const folder = process.argv[2];
const runs = Number(process.argv[3] ?? 15);
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];

// Their names of the venues, and since when the recorded interface is what the mappers take.
const venues = {
  'binance': { ccxt: 'binance', url: 'wss://stream.binance.com:9443/ws', type: 'spot', tardis: 'binance', at: '2024-08-08' },
  'binance-usdm': { ccxt: 'binanceusdm', url: 'wss://fstream.binance.com/ws', type: 'swap', tardis: 'binance-futures', at: '2024-08-08' },
  'kraken': { ccxt: 'kraken', at: '2026-08-01' },
  'kraken-v1': { tardis: 'kraken', at: '2021-04-17' },
  'coinbase': { ccxt: 'coinbaseexchange', tardis: 'coinbase', at: '2021-04-17' },
  'bitfinex': { ccxt: 'bitfinex', tardis: 'bitfinex', at: '2025-08-15' },
  'kucoin': { ccxt: 'kucoin', tardis: 'kucoin', at: '2021-04-25' },
  'htx': { tardis: 'huobi-dm-swap', at: '2022-02-19' },
};

const quotes = ['USDT', 'USDC', 'USD', 'EUR', 'GBP', 'BTC', 'ETH'];

/** A market of the client for a recorded symbol; nothing is fetched. */
function market(id, type) {
  const plain = id.replace(/^t/, '').replace(/[-/:_]/g, '');
  const quote = quotes.find((each) => plain.endsWith(each) && plain.length > each.length) ?? 'USD';
  const base = plain.slice(0, -quote.length);
  const swap = type === 'swap';
  return {
    id, symbol: swap ? `${base}/${quote}:${quote}` : `${base}/${quote}`, base, quote, baseId: base, quoteId: quote,
    type: type ?? 'spot', spot: !swap, swap, future: false, option: false, margin: false, contract: swap, linear: swap,
    inverse: false, settle: swap ? quote : undefined, settleId: swap ? quote : undefined, active: true, contractSize: swap ? 1 : undefined,
    precision: { amount: 1e-8, price: 1e-8 }, limits: { amount: {}, price: {}, cost: {} }, info: { wsname: id },
  };
}

function withCcxt(venue, frames) {
  const exchange = new ccxt.pro[venue.ccxt]({ newUpdates: true });
  const ids = [...new Set(frames.map((each) => each.symbol))];
  exchange.setMarkets(ids.map((id) => market(id, venue.type)));
  // Sockets, promises and downloads are left out: what is measured is what a frame costs.
  exchange.spawn = () => undefined;
  exchange.delay = () => undefined;
  let errors = 0;
  const client = {
    url: venue.url ?? '', subscriptions: {}, futures: {}, messageHashes: {}, lastPong: 0, keepAlive: 0,
    resolve() {}, reject() { ++errors; }, future() { return {}; }, reusableFuture() { return {}; }, send() {},
  };
  const imaged = venue.ccxt.startsWith('binance') || venue.ccxt === 'kucoin';
  if (imaged) // as the client does when it subscribes: what comes before the image is kept
    for (const each of exchange.symbols) exchange.orderbooks[each] = exchange.orderBook({});
  const from = process.hrtime.bigint();
  for (const { symbol, text } of frames) {
    const message = JSON.parse(text);
    const image = venue.ccxt.startsWith('binance') ? message.lastUpdateId : venue.ccxt === 'kucoin' ? message.data?.sequence && message.code : undefined;
    if (image !== undefined) {
      // A REST image: the client's book is made of it, as its own loader does.
      const known = exchange.markets_by_id[symbol][0].symbol;
      const data = message.data ?? message;
      const snapshot = exchange.parseOrderBook(data, known);
      snapshot.nonce = Number(data.lastUpdateId ?? data.sequence);
      const kept = exchange.orderbooks[known]?.cache ?? [];
      const book = (exchange.orderbooks[known] = exchange.orderBook(snapshot));
      book.nonce = snapshot.nonce;
      for (const each of kept)
        if (each.sequenceEnd === undefined) exchange.handleOrderBook(client, each);
        else if (Number(each.sequenceEnd) > snapshot.nonce) exchange.handleDelta(book, each); // KuCoin's loader
      continue;
    }
    const data = message.stream !== undefined ? message.data : message;
    if (venue.ccxt === 'kucoin' && data.type !== 'message') continue;
    try {
      exchange.handleMessage(client, data);
    } catch {
      ++errors;
    }
  }
  const spent = Number(process.hrtime.bigint() - from);
  const books = Object.values(exchange.orderbooks).filter((book) => book.bids.length + book.asks.length > 0).length;
  return books === 0 || errors > frames.length / 100 ? 0 : spent / frames.length;
}

function withTardis(venue, frames) {
  const at = new Date(venue.at);
  const mappers = [tardis.normalizeBookChanges(venue.tardis, at), tardis.normalizeTrades(venue.tardis, at)];
  const books = new Map();
  const from = process.hrtime.bigint();
  for (const { symbol, text } of frames) {
    let message = JSON.parse(text);
    // Their recordings wrap a REST image in a stream message of their own.
    if (message.lastUpdateId !== undefined && message.stream === undefined)
      message = { stream: `${symbol.toLowerCase()}@depthSnapshot`, generated: true, data: message };
    else if (venue.tardis === 'kucoin' && message.code !== undefined)
      message = { type: 'message', generated: true, topic: `/market/level2Snapshot:${symbol}`, subject: 'trade.l2Snapshot', ...message };
    for (const mapper of mappers) {
      if (!mapper.canHandle(message)) continue;
      const normalised = mapper.map(message, at);
      if (normalised === undefined) continue;
      for (const each of normalised) {
        if (each.type !== 'book_change') continue;
        let book = books.get(each.symbol);
        if (book === undefined) books.set(each.symbol, (book = new tardis.OrderBook()));
        book.update(each);
      }
    }
  }
  const spent = Number(process.hrtime.bigint() - from);
  const filled = [...books.values()].filter((book) => book.bestBid() !== undefined || book.bestAsk() !== undefined).length;
  return filled === 0 ? 0 : spent / frames.length;
}

const out = {};
for (const [name, venue] of Object.entries(venues)) {
  const file = path.join(folder, `${name}.jsonl`);
  if (!fs.existsSync(file)) continue;
  const frames = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const figures = { ccxt: [], tardis: [] };
  for (let run = 0; run < runs; ++run)
    for (const [client, measure] of run % 2 ? [['tardis', withTardis], ['ccxt', withCcxt]] : [['ccxt', withCcxt], ['tardis', withTardis]]) {
      if (venue[client] === undefined) continue;
      try {
        figures[client].push(measure(venue, frames));
      } catch (why) {
        if (run === 0) console.error(`${name}: ${client}: ${why.message}`);
        figures[client].push(0);
      }
    }
  out[name] = Object.fromEntries(Object.entries(figures).map(([client, list]) => [client, list.length ? median(list) : 0]));
}
console.log(JSON.stringify(out));
process.exit(0);
