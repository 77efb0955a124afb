// An unmodified independent client watches a simulated venue's book and must end with the venue's own.
//
//   node watch_book.mjs '<ready line of the simulator>' BTC-USDT [seconds]
//
// Prints one JSON object; exit code 0 only when the final book equals the truth.
// The authority of the simulator comes in through NODE_EXTRA_CA_CERTS.
import http from 'node:http';
import zlib from 'node:zlib';
import ccxt from 'ccxt';

const ready = JSON.parse(process.argv[2]);
const wanted = process.argv[3]; // "BTC-USDT", as Troupe writes it
const symbol = ready.symbols[wanted];
const seconds = Number(process.argv[4] ?? 8);

// Venues whose name in that client differs, and what keeps it from loading more than the simulator offers.
const clients = {
  'binance': ['binance', { defaultType: 'spot', fetchMarkets: { types: ['spot'] } }],
  'binance-usdm': ['binanceusdm', { fetchMarkets: { types: ['linear'] } }],
  'bybit': ['bybit', { fetchMarkets: { types: ['spot', 'linear'] }, loadAllOptions: false }],
  'deribit': ['deribit', {}],
  'mexc': ['mexc', { fetchMarkets: { types: { spot: true, swap: { linear: false, inverse: false } } } }],
  'coinbase': ['coinbase', { fetchMarkets: 'fetchMarketsV3' }],
  'kraken': ['kraken', {}],
  'okx': ['okx', { fetchMarkets: { types: ['spot'] } }],
  'kucoin': ['kucoin', { fetchMarkets: { types: ['spot'] }, uta: false }],
  'gate': ['gate', { fetchMarkets: { types: ['spot'] } }],
  'bitfinex': ['bitfinex', {}],
  'htx': ['htx', { fetchMarkets: { types: { spot: true, linear: false, inverse: false } } }],
};

// Levels to ask for where the client's default image is shallower than the market moves.
const limits = { kucoin: 100 };

/** Every address of the client is led to the simulator; paths stay. */
function redirect(node) {
  if (typeof node === 'string')
    return node.replace(/^(https?|wss?):\/\/[^/]+/, (_, scheme) => `${scheme.startsWith('ws') ? 'wss' : 'https'}://localhost:${ready.port}`);
  if (node && typeof node === 'object') for (const key of Object.keys(node)) node[key] = redirect(node[key]);
  return node;
}

function control(method, path) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: ready.control_port, path, method }, (reply) => {
      let body = '';
      reply.on('data', (chunk) => (body += chunk));
      reply.on('end', () => resolve(JSON.parse(body)));
    });
    request.on('error', reject);
    request.end();
  });
}

const plain = (value) => {
  const text = Number(value).toFixed(8);
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
};
const rows = (side) => side.slice(0, 10).map((row) => `${plain(row[0])},${plain(row[1])}`);
const checksum = (book) => zlib.crc32
  ? zlib.crc32([...rows(book.bids), ...rows(book.asks)].join('|'))
  : crc32([...rows(book.bids), ...rows(book.asks)].join('|'));

function crc32(text) {
  let crc = ~0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

async function main() {
  const [name, options] = clients[ready.venue];
  const exchange = new ccxt.pro[name]({ options, enableRateLimit: true, newUpdates: false });
  exchange.urls.api = redirect(exchange.urls.api);
  exchange.hostname = 'localhost';
  exchange.has.fetchCurrencies = false; // deposits and withdrawals: nothing of market data
  await exchange.loadMarkets();
  const [base, quote, perpetual] = wanted.split('-');
  const market = Object.values(exchange.markets).find((m) => m.base === base && m.quote === quote && (perpetual ? m.swap : m.spot));
  if (!market) throw new Error(`the client knows no market ${wanted}: ${Object.keys(exchange.markets).slice(0, 10)}`);
  let updates = 0;
  let book = null;
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    book = await exchange.watchOrderBook(market.symbol, limits[ready.venue]);
    ++updates;
  }
  await control('POST', '/pause');
  // Whatever is still on its way must arrive; then the books stand still.
  let truth = null;
  let ours = 0;
  const patience = Date.now() + 5000;
  for (;;) {
    const all = (await control('GET', `/truth?symbol=${encodeURIComponent(symbol)}&from=0&newest=1`)).changes;
    truth = all[all.length - 1];
    ours = checksum(exchange.orderbooks[market.symbol]);
    if (ours === truth[3] || Date.now() > patience) break;
    await Promise.race([exchange.watchOrderBook(market.symbol), new Promise((go) => setTimeout(go, 50))]);
  }
  const state = await control('GET', '/state');
  const equal = ours === truth[3] && updates > 10;
  console.log(JSON.stringify({ venue: ready.venue, symbol: wanted, client: `ccxt ${ccxt.version}`, updates, equal, ours, truth: truth[3], sequence: truth[1], nonce: book.nonce, violations: state.violations }));
  await exchange.close();
  process.exit(equal && Object.keys(state.violations).length === 0 ? 0 : 1);
}

main().catch((error) => {
  console.log(JSON.stringify({ venue: ready.venue, symbol: wanted, equal: false, error: String(error.stack ?? error).slice(0, 900) }));
  process.exit(1);
});
