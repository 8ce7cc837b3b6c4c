// What a service reads of another one's events is written by hand: it is held to the owner's contract here. Each consumer is
// delivered what the contracts promise, and no more, and their examples, and buries nothing. (report keeps events as they come.)
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inventoryService } from '../../services/inventory/app.ts';
import { catalogue, type Topic, type TopicName } from '../../services/kit/events/catalogue.ts';
import { append, emptyDocument } from '../../services/kit/events/document.ts';
import type { EventSourced, ServiceParts } from '../../services/kit/events/event-sourced.ts';
import { newestVersion } from '../../services/kit/events/upcasters.ts';
import { type Bench, type CloudEvent, event, soon, startBench } from '../../services/kit/testing/bench.ts';
import { notificationService } from '../../services/notification/app.ts';
import { orderService } from '../../services/order/app.ts';
import { type OrderEvent, orderOf, orders } from '../../services/order/order.ts';
import { paymentService } from '../../services/payment/app.ts';
import { paymentIdOf } from '../../services/payment/payment.ts';
import { productService } from '../../services/product/app.ts';
import { files, read } from './sources.ts';

/** What our contracts use of JSON Schema. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
  readonly examples?: readonly object[];
}

const ACCOUNT = '0d5b7a52-3c64-4a0e-9d53-0a4bb3a7d6a1';
/** Texts that have a form, or meet again in other events; any other text is a word. */
const texts: Readonly<Record<string, string>> = {
  ...{ customerId: ACCOUNT, accountId: ACCOUNT },
  ...{ currency: 'USD', timeZone: 'UTC', template: 'order-confirmed' },
  ...{ placedAt: '2026-01-01T00:00:00.000Z', occurredAt: '2026-01-01T00:00:00.000Z' },
};

/** The least that a contract promises: required members alone, one item in each list. */
function sample(schema: Schema, name = ''): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.oneOf) return sample(schema.oneOf[0] as Schema, name);
  const type = Array.isArray(schema.type) ? (schema.type as string[])[0] : schema.type;
  switch (type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((member) => [member, sample(schema.properties?.[member] ?? {}, member)]),
      );
    case 'array':
      return [sample(schema.items ?? {})];
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    case 'string':
      return texts[name] ?? 'word';
    default:
      throw new Error(`no sample of ${name}: ${JSON.stringify(schema)}`);
  }
}

const contracts = new Map(
  files.flatMap((path) => {
    const [, type] = /^services\/[^/]+\/contracts\/(.+)\.json$/.exec(path) ?? [];
    return type === undefined ? [] : [[type, JSON.parse(read(path)) as Schema] as const];
  }),
);

function contractOf(type: string, schemaVersion = newestVersion(type)): Schema {
  const contract = contracts.get(`${type}.v${schemaVersion}`);
  if (!contract) throw new Error(`no contract of ${type}`);
  return contract;
}

function sampleOf(type: string, schemaVersion?: number): object {
  return sample(contractOf(type, schemaVersion)) as object;
}

/** What its owner shows of a type. */
function examplesOf(type: string, schemaVersion?: number): readonly object[] {
  return contractOf(type, schemaVersion).examples ?? [];
}

/** The same event data, told of an order. */
function about(orderId: string, type: string, data: object): object {
  const { properties = {} } = contractOf(type);
  const ids = Object.entries({ orderId, paymentId: paymentIdOf(orderId) }).filter(([name]) => name in properties);
  return { ...data, ...Object.fromEntries(ids) };
}

const parts = {
  deadlineSeconds: 900,
  returnWindowDays: 30,
  sweepAfterSeconds: 30,
  providerTimeout: 2_000,
  mailTimeoutSeconds: 8,
};
const services: Readonly<Record<string, (given: ServiceParts) => EventSourced>> = {
  order: (given) => orderService({ ...given, ...parts }),
  inventory: (given) => inventoryService({ ...given, ...parts }),
  payment: (given) => paymentService({ ...given, ...parts }),
  product: productService,
  notification: (given) => notificationService({ ...given, ...parts, mailBinding: 'mail' }),
};

const SETTLED = { settled: true };

/** Stands for everything that happened before an event: what it needs to be more than unknown. */
const before: Readonly<Record<string, readonly string[]>> = {
  'order.confirmed': ['order.placed'],
  'order.cancelled': ['order.placed', 'stock.reserved'],
  'order.returned': ['order.placed', 'stock.reserved', 'order.confirmed'],
  'payment.failed': ['order.placed'],
};

const topics = Object.entries(catalogue as Record<string, Topic>);
const topicOf = (type: string) => topics.find(([, { types }]) => types.includes(type))?.[0] as TopicName;

test('every consumer is held to the contracts', () => {
  const consumers = new Set(topics.flatMap(([, { heardBy }]) => heardBy));
  expect([...consumers].sort()).toEqual([...Object.keys(services), 'report'].sort());
});

describe.each(Object.entries(services))('%s takes what the contract promises of', (name, serviceOf) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench(serviceOf, { name });
    bench.fake.bindings.set('mail', () => undefined);
    bench.play('payment-provider', (path) =>
      path.endsWith('refund') ? { outcome: 'refunded', refundRef: 're' } : { outcome: 'captured', providerRef: 'pi' },
    );
    bench.play('auth', () => ({ id: ACCOUNT, email: 'ada@shop.test', name: 'Ada' }));
  });
  afterAll(() => bench.close());

  const deliver = (type: string, orderId: string, version: number, data: object, schema = newestVersion(type)) => {
    const stream = `${type.split('.')[0]}:${orderId}`;
    return bench.deliver(topicOf(type), event(type, stream, version, about(orderId, type, data), schema));
  };
  const heard = topics.flatMap(([, { heardBy, types }]) => (heardBy.includes(name) ? types : []));
  /** Also in every version that may still lie in a topic. */
  const versions = heard.flatMap((type) =>
    Array.from({ length: newestVersion(type) }, (_, n) => [type, n + 1] as const),
  );
  const earlierThan = (type: string) => (before[type] ?? []).filter((each) => heard.includes(each));

  const statusOf = (orderId: string) =>
    bench.document<{ status: string }>(`payment:${paymentIdOf(orderId)}`)?.state.status;

  type Given = readonly (readonly [string, object])[];
  async function takes(type: string, schema: number, data: object, earlier: Given): Promise<void> {
    const orderId = randomUUID();
    const { length } = bench.fake.published;
    if (name === 'order') keepOrder(bench, orderId);
    if (name === 'payment')
      await bench
        .as()
        .post('/internal/prepare')
        .send({ cards: [{ orderId, token: 'card' }] });
    for (const [each, its] of earlier) expect(await deliver(each, orderId, 1, its)).toEqual(['SUCCESS']);
    if (name === 'payment' && type === 'order.returned') await soon(() => statusOf(orderId) === 'captured');
    expect(await deliver(type, orderId, 1 + earlier.length, data, schema)).toEqual(['SUCCESS']);
    // What follows from it keeps the contract of this service.
    const streams = bench.fake.published.slice(length).map(({ event: each }) => (each as CloudEvent).data.stream);
    for (const stream of new Set(streams)) bench.published(stream);
  }

  test.each(versions)('%s.v%i, the least of it', async (type, schema) => {
    const earlier = earlierThan(type).map((each) => [each, sampleOf(each)] as const);
    await takes(type, schema, sampleOf(type, schema), earlier);
  });

  test.each(versions)('%s.v%i, as its examples show it', async (type, schema) => {
    for (const data of examplesOf(type, schema)) {
      // What came back was sold, whatever was in stock.
      const sold = (each: string) => (type === 'order.returned' && each === 'order.placed' ? { terms: SETTLED } : {});
      const earlier = earlierThan(type).map(
        (each) => [each, { ...ofSameShop(data, examplesOf(each)), ...sold(each) }] as const,
      );
      await takes(type, schema, data, earlier);
    }
  });
});

/** Of examples that tell different stories, the one that goes with this. */
function ofSameShop(data: object, examples: readonly object[]): object {
  const shopOf = (each: object) => (each as { shopId?: string }).shopId;
  return examples.find((each) => shopOf(each) === shopOf(data)) ?? {};
}

/** An order that was placed, in the store of its owner. */
function keepOrder({ fake }: Bench, orderId: string): void {
  const origin = { actor: 'a', correlationId: 'c', causationId: 'x', traceparent: '' };
  const placed = { type: 'order.placed', data: about(orderId, 'order.placed', sampleOf('order.placed')) } as OrderEvent;
  const ref = orderOf(orderId);
  fake.put('statestore-order', ref.key, append(orders, emptyDocument(ref), [placed], origin, origin.traceparent));
}
