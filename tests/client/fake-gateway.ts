// A gateway in memory, as far as demo data and replay need one: enough to test a client against bad luck on demand.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Order, OrderRequest, Product, Receipt, SalesRow, Shop } from './retail.ts';

/** What happens to a request instead of an answer, or after its work was done. */
export type Mishap = { readonly status: number; readonly retryAfter?: string } | 'drop-before' | 'drop-after';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The fake. `mishaps` are used up one per request, in order; tokens last `tokenSeconds`. */
export class FakeGateway {
  readonly seen: Seen[] = [];
  readonly mishaps: Mishap[] = [];
  readonly shops = new Map<string, Shop>();
  readonly products = new Map<string, Product>();
  readonly stock = new Map<string, number>();
  readonly orders = new Map<string, Order>();
  tokenSeconds = 600;
  readonly #receipts = new Set<string>();
  readonly #byKey = new Map<string, string>();
  readonly #server: Server;
  #tokens = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Listens on a free port of loopback and answers the base URL. */
  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** The requests of one route so far. */
  calls(method: string, path: string): Seen[] {
    return this.seen.filter((call) => call.method === method && call.path === path);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://fake');
    const json = String(request.headers['content-type']).includes('json');
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      key: request.headers['idempotency-key'] as string | undefined,
      authorization: request.headers.authorization,
      body: text === '' ? undefined : json ? JSON.parse(text) : text,
    };
    this.seen.push(seen);
    const mishap = this.mishaps.shift();
    if (mishap === 'drop-before') return void request.socket.destroy();
    const reply = typeof mishap === 'object' ? fault(mishap) : this.#route(seen, url);
    if (mishap === 'drop-after') return void request.socket.destroy();
    const type = reply.status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(reply.status, { 'content-type': type, ...reply.headers });
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
  }

  #route(seen: Seen, url: URL): Reply {
    const [area = '', first, second] = url.pathname.replace('/api/v1/', '').split('/');
    switch (`${seen.method} ${area}`) {
      case 'POST auth':
        return this.#token();
      case 'POST shops':
        return this.#open(seen.body as Shop);
      case 'POST products':
        return this.#define((seen.body as { items: Product[] }).items);
      case 'POST inventory':
        return this.#receive(seen.body as Receipt);
      case 'GET inventory':
        return this.#stockOf(first ?? '', second ?? '');
      case 'POST orders':
        return this.#place(seen.key, seen.body as OrderRequest);
      case 'GET orders':
        return this.#finish(first ?? '');
      case 'GET reports':
        return { status: 200, body: { items: this.#sales() } };
      default:
        return problem(404, 'NOT_FOUND');
    }
  }

  #token(): Reply {
    const token = `token-${++this.#tokens}`;
    const expires = this.tokenSeconds;
    return { status: 200, body: { accessToken: token, access_token: token, expiresIn: expires, expires_in: expires } };
  }

  #open(shop: Shop): Reply {
    if (this.shops.has(shop.id)) return problem(409, 'ALREADY_EXISTS');
    this.shops.set(shop.id, shop);
    return { status: 201, body: shop };
  }

  #define(items: readonly Product[]): Reply {
    const results = items.map((item) => {
      const known = this.products.get(item.sku);
      this.products.set(item.sku, item);
      const outcome =
        known === undefined ? 'created' : JSON.stringify(known) === JSON.stringify(item) ? 'unchanged' : 'updated';
      return { sku: item.sku, outcome };
    });
    return { status: 200, body: { results } };
  }

  #receive({ shopId, reference, lines }: Receipt): Reply {
    const id = `${shopId}:${reference}`;
    if (!this.#receipts.has(id)) {
      this.#receipts.add(id);
      for (const { sku, quantity } of lines)
        this.stock.set(`${shopId}/${sku}`, (this.stock.get(`${shopId}/${sku}`) ?? 0) + quantity);
    }
    return { status: 201, body: { id } };
  }

  #stockOf(shopId: string, sku: string): Reply {
    const onHand = this.stock.get(`${shopId}/${sku}`);
    return onHand === undefined
      ? problem(404, 'NOT_FOUND')
      : { status: 200, body: { shopId, sku, onHand, reserved: 0, available: onHand } };
  }

  #place(key: string | undefined, request: OrderRequest): Reply {
    if (key === undefined) return problem(400, 'IDEMPOTENCY_KEY_MISSING');
    const known = this.#byKey.get(key);
    if (known) return { status: 201, body: this.orders.get(known), headers: { 'idempotent-replayed': 'true' } };
    const id = `order-${this.orders.size + 1}`;
    const lines = request.lines.map((line) => ({ unitPrice: 0, discounts: [], ...line, total: 0 }));
    const gross = lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0);
    const discounts = lines.flatMap((line) => line.discounts).reduce((sum, { amount }) => sum + amount, 0);
    const { channel, shopId, occurredAt = '' } = request;
    const base = {
      id,
      status: 'placed',
      channel,
      shopId,
      currency: 'USD',
      lines,
      gross,
      discounts,
      net: gross - discounts,
    } as const;
    this.orders.set(id, {
      ...base,
      tax: 0,
      payment: { status: 'requested' },
      occurredAt,
      placedAt: occurredAt,
      version: 1,
    });
    this.#byKey.set(key, id);
    return { status: 201, body: this.orders.get(id) };
  }

  #finish(id: string): Reply {
    const order = this.orders.get(id);
    if (!order) return problem(404, 'NOT_FOUND');
    this.orders.set(id, { ...order, status: 'confirmed', version: 2 });
    return { status: 200, body: this.orders.get(id) };
  }

  #sales(): SalesRow[] {
    const rows = new Map<string, SalesRow>();
    for (const order of this.orders.values()) {
      if (order.status !== 'confirmed') continue;
      const { shopId } = order;
      const day = String(order.occurredAt).slice(0, 10);
      const row = rows.get(shopId + day) ?? noSales(shopId, day);
      const off = (kind: string) =>
        order.lines.flatMap((line) => line.discounts).reduce((sum, d) => sum + (d.kind === kind ? d.amount : 0), 0);
      const { loyalty, storeCoupon, manual } = row.discountsByKind;
      rows.set(shopId + day, {
        ...row,
        orders: row.orders + 1,
        units: row.units + order.lines.reduce((sum, line) => sum + line.quantity, 0),
        gross: row.gross + order.gross,
        discounts: row.discounts + order.discounts,
        discountsByKind: {
          loyalty: loyalty + off('loyalty'),
          storeCoupon: storeCoupon + off('storeCoupon'),
          manual: manual + off('manual'),
        },
        net: row.net + order.net,
      });
    }
    return [...rows.values()];
  }
}

function noSales(shopId: string, day: string): SalesRow {
  return {
    shopId,
    day,
    orders: 0,
    units: 0,
    gross: 0,
    discounts: 0,
    discountsByKind: { loyalty: 0, storeCoupon: 0, manual: 0 },
    net: 0,
  };
}

function fault({ status, retryAfter }: Exclude<Mishap, string>): Reply {
  return { ...problem(status, 'MISHAP'), headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } };
}

function problem(status: number, code: string): Reply {
  return { status, body: { type: 'about:blank', title: code, status, code } };
}
