// Where a story comes from: the events of every service that has a part in it, by the public API.
import type { Gateway } from '../client/gateway.ts';
import { NoAnswer, ProblemError } from '../client/problem.ts';
import { everyItem, type Page } from '../client/retail.ts';

/** An event as every service tells it. */
export interface Recorded {
  readonly id: string;
  readonly version: number;
  readonly type: string;
  readonly at: string;
  readonly actor: string | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What one service had to say. */
export interface Part {
  /** Whose: `order`, `inventory`, ... */
  readonly service: string;
  readonly events: readonly Recorded[];
  /** Why it says nothing, if it could not be asked. Nothing and no reason: it knows nothing of it. */
  readonly missing?: string;
}

/** Templates of mails about an order. */
const TEMPLATES = ['order-confirmed', 'order-cancelled'];

/** All parts of an order's story. Never throws for a service that is down. @throws {ProblemError} we may not ask */
export function partsOfOrder(gateway: Gateway, orderId: string): Promise<Part[]> {
  const id = encodeURIComponent(orderId);
  const payments = async () => {
    const query = { orderId };
    const { body } = await gateway.call<Page<{ id: string }>>('GET', '/api/v1/payments', { query });
    return body.items.map((payment) => `/api/v1/payments/${payment.id}`);
  };
  const order = part('order', () => told(gateway, `/api/v1/orders/${id}`));
  const returns = async () => (await order).events.flatMap(({ data }) => (data.returnId as string | undefined) ?? []);
  return Promise.all([
    order,
    part('inventory', async () => {
      const path = `/api/v1/reservations/${id}`;
      const paths = [path, ...(await returns()).map((returnId) => `${path}/returns/${returnId}`)];
      return all(paths.map((each) => told(gateway, each)));
    }),
    part('payment', async () => all((await payments()).map((path) => told(gateway, path)))),
    part('notification', async () => {
      const templates = [...TEMPLATES, ...(await returns()).map((returnId) => `order-returned:${returnId}`)];
      return all(templates.map((template) => told(gateway, `/api/v1/notifications/${id}/${template}`)));
    }),
  ]);
}

/** A payment's own part. */
export function partOfPayment(gateway: Gateway, paymentId: string): Promise<Part> {
  return part('payment', () => told(gateway, `/api/v1/payments/${encodeURIComponent(paymentId)}`));
}

/** A stock item's own part. */
export function partOfStock(gateway: Gateway, shopId: string, sku: string): Promise<Part> {
  const path = `/api/v1/inventory/${encodeURIComponent(shopId)}/${encodeURIComponent(sku)}`;
  return part('inventory', () => told(gateway, path));
}

/** The events of one resource; none if nobody knows it. */
async function told(gateway: Gateway, path: string): Promise<Recorded[]> {
  try {
    return await everyItem<Recorded>(gateway, `${path}/events`);
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return [];
    throw error;
  }
}

async function all(parts: readonly Promise<Recorded[]>[]): Promise<Recorded[]> {
  return (await Promise.all(parts)).flat();
}

async function part(service: string, ask: () => Promise<Recorded[]>): Promise<Part> {
  try {
    return { service, events: await ask() };
  } catch (error) {
    if (error instanceof ProblemError && error.status < 500) throw error;
    if (error instanceof ProblemError) return { service, events: [], missing: `answered ${error.status}` };
    if (error instanceof NoAnswer) return { service, events: [], missing: 'gave no answer' };
    throw error;
  }
}
