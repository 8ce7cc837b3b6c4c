// What the checkers look at, read from a world.

import { catalogue } from '../../services/kit/events/catalogue.ts';
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import { toCloudEvent } from '../../services/kit/events/message.ts';
import type { DeadLetter, Evidence, ServiceEvidence } from '../invariants/evidence.ts';
import { streamsIn } from '../invariants/stores.ts';
import { eventsOf, pagesIn } from '../invariants/streams.ts';
import type { RecordedEvent, SalesContribution, StockRow, VersionRow } from '../invariants/views.ts';
import type { Violation } from '../invariants/violation.ts';
import { REPLICAS } from './services.ts';
import type { World } from './world.ts';

interface Logged {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly stream: string; readonly version: number; readonly payload: unknown };
}

/** A world at one moment. */
export interface Found {
  readonly evidence: Evidence;
  /** What only the logs show. */
  readonly violations: readonly Violation[];
}

export function gather(world: World): Found {
  const services = new Map<string, ServiceEvidence>();
  for (const appId of Object.keys(REPLICAS)) services.set(appId, readService(world, appId));
  services.set('product', { rows: [], pages: new Map(), streams: new Map() });
  const { recorded, sales, violations } = readLogs(world, services);
  const rows = <R>(appId: string, table: string) => [...world.views(appId).rows(table)] as unknown as R[];
  const evidence: Evidence = {
    ...{ services, recorded, sales, productRows: [], reportViews: new Map(), parked: [] },
    book: world.account.book(),
    stockRows: rows<StockRow>('inventory', 'stock'),
    orderRows: rows<VersionRow>('order', 'orders'),
    paymentRows: rows<VersionRow>('payment', 'payments').map(({ id, version }) => ({ id, version })),
    deadLetters: readDeadLetters(world),
  };
  return { evidence, violations };
}

function readService(world: World, appId: string): ServiceEvidence {
  const rows = world.store(`statestore-${appId}`).rows();
  const pages = pagesIn(rows);
  const streams = [...streamsIn(rows)].map(
    ([key, document]) => [key, { document, events: eventsOf(document, pages) }] as const,
  );
  return { rows, pages, streams: new Map(streams) };
}

/** What a reader of all topics makes of them; and every message must be an event of its stream, word for word. */
function readLogs(world: World, services: ReadonlyMap<string, ServiceEvidence>) {
  const recorded: RecordedEvent[] = [];
  const sales = new Map<string, SalesContribution>();
  const violations: Violation[] = [];
  const known = new Map<string, string>();
  for (const { topic, log } of world.broker.logs()) {
    const owner = topic in catalogue ? catalogue[topic as keyof typeof catalogue].owner : undefined;
    const streams = owner === undefined ? undefined : services.get(owner)?.streams;
    if (owner === undefined || !streams) continue;
    for (const text of log) {
      const { id, type, data } = JSON.parse(text) as Logged;
      const { stream, version } = data;
      const before = known.get(`${stream}@${version}`);
      if (before === text) continue;
      known.set(`${stream}@${version}`, text);
      const stored = streams.get(stream);
      if (text !== wordsOf(owner, stored?.document, stored?.events[version - 1])) {
        violations.push({
          invariant: 'I10',
          subject: `${stream}@${version}`,
          what: 'was published otherwise than it is stored',
        });
      }
      const plain = type.replace(/^retail\.|\.v\d+$/g, '');
      if (before === undefined) recorded.push({ id, stream, version, type: plain });
      const contribution = contributionOf(plain, data.payload);
      if (contribution) sales.set(contribution.order_id, contribution);
    }
  }
  return { recorded, sales: [...sales.values()], violations };
}

function wordsOf(
  owner: string,
  document: StreamDocument | undefined,
  event: StoredEvent | undefined,
): string | undefined {
  return document && event && JSON.stringify(toCloudEvent(owner, document, event));
}

/** As the report counts: by the deciding events of an order. A cancelled one may be heard only once. */
function contributionOf(type: string, payload: unknown): SalesContribution | undefined {
  if (type !== 'order.confirmed' && type !== 'order.cancelled') return undefined;
  const { orderId, gross, discounts, net } = payload as {
    orderId: string;
    gross: number;
    discounts: number;
    net: number;
  };
  return { order_id: orderId, counted: type === 'order.confirmed', gross, discounts, net };
}

function readDeadLetters(world: World): DeadLetter[] {
  return world.broker
    .logs()
    .filter(({ topic }) => topic.includes('.dead.'))
    .flatMap(({ log }) => log)
    .map((text) => {
      const { topic, appId, reason, detail, stream, version } = JSON.parse(text);
      return { topic, app_id: appId, reason: `${reason} (${detail})`, stream, version };
    });
}
