// What at-least-once delivery allows, and a quiet broker never does: messages twice, late, out of order, or without an answer.
import { setTimeout as pause } from 'node:timers/promises';
import type { ChaosWorld, Fault } from '../fault.ts';
import type { Forward, Meddler, Passage, Reply } from '../interposer.ts';
import type { Interposers } from '../interposers.ts';

export type Disorder =
  /** The batch once more, some seconds later, behind or beside others. */
  | 'doubled'
  /** Held some seconds; a backlog builds up behind it. */
  | 'delayed'
  /** Entries shuffled, also those of one stream, and the batch cut in two. */
  | 'reordered'
  /** Some entries sent back unread: they come after those behind them. */
  | 'held back'
  /** Handled, but the sidecar does not hear of it: all of it again. */
  | 'unanswered'
  /** Lost on the way to the service. */
  | 'dropped';

export interface DeliveryOptions {
  readonly interposers: Interposers;
  readonly appId: string;
  readonly disorder: Disorder;
  /** Part of the batches that it befalls; 0.4 unless told. */
  readonly share?: number;
}

/** Disturbs what a sidecar delivers to its service, on every topic. */
export function deliveries({ interposers, appId, disorder, share = 0.4 }: DeliveryOptions): Fault {
  const healed = new Map<ChaosWorld, AbortController>();
  const late = new Set<Promise<void>>();
  return {
    name: `${disorder} deliveries to ${appId}`,
    hits: [appId],
    async strike(world) {
      const end = new AbortController();
      healed.set(world, end);
      /** Never past the healing. */
      const hold = (fromMs: number, toMs: number) =>
        pause(between(world, fromMs, toMs), undefined, { signal: end.signal }).catch(() => {});
      const context: Context = {
        ...{ world, hold },
        repeatLater(passage, forward) {
          const repeat = hold(20, 4_000)
            .then(() => forward(passage))
            .then(() => {}, ignore); // the service may have died meanwhile
          late.add(repeat);
          void repeat.finally(() => late.delete(repeat));
        },
      };
      const meddler: Meddler = (passage, forward) =>
        isDelivery(passage) && world.random() < share
          ? disorders[disorder](passage, forward, context)
          : forward(passage);
      for (const each of interposers.of(world.mesh, appId, 'toApp')) each.meddler = meddler;
    },
    async heal(world) {
      for (const each of interposers.of(world.mesh, appId, 'toApp')) each.meddler = undefined;
      healed.get(world)?.abort();
      await Promise.all(late);
    },
  };
}

interface Context {
  readonly world: ChaosWorld;
  hold(fromMs: number, toMs: number): Promise<void>;
  repeatLater(passage: Passage, forward: Forward): void;
}

const disorders: Record<Disorder, (passage: Passage, forward: Forward, context: Context) => Promise<Reply | null>> = {
  async doubled(passage, forward, { repeatLater }) {
    const reply = await forward(passage);
    repeatLater(passage, forward);
    return reply;
  },
  async delayed(passage, forward, { hold }) {
    await hold(500, 4_000);
    return forward(passage);
  },
  async reordered(passage, forward, { world, hold }) {
    await hold(50, 400); // what comes after this one comes as a batch worth shuffling
    const { entries } = batchOf(passage);
    const shuffled = shuffle(entries, world.random);
    const cut = Math.floor(world.random() * shuffled.length);
    return inParts(passage, forward, [shuffled.slice(0, cut), shuffled.slice(cut)]);
  },
  async 'held back'(passage, forward, { world }) {
    const { entries } = batchOf(passage);
    const back = entries.filter(() => world.random() < 0.5);
    return inParts(passage, forward, [entries.filter((entry) => !back.includes(entry))], back);
  },
  async unanswered(passage, forward) {
    await forward(passage);
    return null;
  },
  dropped: async () => null,
};

interface Entry {
  readonly entryId: string;
}

interface Batch {
  readonly entries: readonly Entry[];
}

/** Kit's routes of subscriptions; a bulk one has entries. */
function isDelivery(passage: Passage): boolean {
  return passage.method === 'POST' && passage.path.startsWith('/dapr/') && passage.body.includes('"entries"');
}

const batchOf = ({ body }: Passage) => JSON.parse(body.toString()) as Batch;

/** Delivers the parts one after the other and answers as for one batch, `back` to be repeated. */
async function inParts(
  passage: Passage,
  forward: Forward,
  parts: readonly (readonly Entry[])[],
  back: readonly Entry[] = [],
): Promise<Reply> {
  const statuses: unknown[] = back.map(({ entryId }) => ({ entryId, status: 'RETRY' }));
  for (const entries of parts.filter(({ length }) => length > 0)) {
    const body = Buffer.from(JSON.stringify({ ...batchOf(passage), entries }));
    const reply = await forward({ ...passage, body });
    if (reply.status !== 200) return reply; // the sidecar repeats all of it
    statuses.push(...(JSON.parse(reply.body.toString()) as { statuses: unknown[] }).statuses);
  }
  return {
    status: 200,
    headers: ['content-type', 'application/json'],
    body: Buffer.from(JSON.stringify({ statuses })),
  };
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}

const between = ({ random }: ChaosWorld, from: number, to: number) => from + random() * (to - from);

const ignore = () => {};
