// What time does to the system: cost after many orders beside that of the empty system, and memory under a long load.
import { setTimeout as pause } from 'node:timers/promises';
import { runLoad } from './load.ts';
import { memoryOf } from './memory.ts';
import { type Bench, compare, progress, type Row } from './rounds.ts';
import type { Subject } from './subject.ts';

export interface Aged {
  readonly orders: number;
  readonly empty: Row;
  readonly aged: Row;
}

/** Clients that bring the orders in. */
const CLIENTS = 32;

/** The cost of an order before and after: the whole catalogue of the data and so many orders. */
export async function age(bench: Bench, orders: number): Promise<Aged> {
  const {
    seconds,
    clients: [clients = 8],
  } = bench.options;
  const ours = bench.subjects.filter(({ name }) => name === 'ours');
  const empty = await compare(bench, 'checkout-1', { clients, seconds }, ours);
  for (const subject of ours) {
    progress('bringing in the whole catalogue');
    await subject.fillCatalogue();
    await placeOrders(subject, orders);
  }
  const aged = await compare(bench, 'checkout-1', { clients, seconds }, ours);
  return { orders, empty: { ...empty, line: 'empty' }, aged: { ...aged, line: `after ${orders}` } };
}

async function placeOrders(subject: Subject, orders: number): Promise<void> {
  const operation = await subject.operation('checkout-1');
  for (let done = 0; done < orders; ) {
    const result = await runLoad({ clients: CLIENTS, seconds: 30 }, operation);
    if (result.done === 0) throw new Error(`no order goes through any more: ${result.firstError}`);
    done += result.done + result.late;
    progress(`${done} of ${orders} orders, ${(result.done / result.seconds).toFixed(1)}/s, ${result.failed} failed`);
  }
}

export interface Soak {
  readonly minutes: number;
  readonly orders: number;
  readonly failed: number;
  readonly firstError: string | undefined;
  /** MiB by process at each minute, `total` among them. */
  readonly samples: readonly Readonly<Record<string, number>>[];
}

/** Memory of the system, minute by minute, under a steady load with the first number of clients. */
export async function soak(bench: Bench, minutes: number): Promise<Soak> {
  const subject = bench.subjects[0] as Subject;
  const operation = await subject.operation('checkout-1');
  const {
    clients: [clients = 8],
  } = bench.options;
  const samples = [sample(subject)];
  const running = runLoad({ clients, seconds: minutes * 60 }, operation);
  for (let minute = 1; minute <= minutes; minute += 1) {
    await Promise.race([pause(60_000), running]);
    const now = sample(subject);
    samples.push(now);
    progress(`minute ${minute}: ${now.total} MiB`);
  }
  const { done, late, failed, firstError } = await running;
  return { minutes, orders: done + late, failed, firstError, samples };
}

function sample(subject: Subject): Record<string, number> {
  const { total, of } = memoryOf(subject);
  return { ...of, total };
}

/** By process: at the start, after a third of the time (caches are full by then), at the end. */
export function soakRows({ samples }: Soak): string[][] {
  const at = (index: number) => samples[index] ?? {};
  const last = samples.length - 1;
  const third = Math.floor(samples.length / 3);
  const growth = (name: string) => (at(last)[name] ?? 0) - (at(third)[name] ?? 0);
  return Object.keys(at(last))
    .sort((a, b) => growth(b) - growth(a))
    .map((name) => [
      name,
      ...[at(0)[name], at(third)[name], at(last)[name], growth(name)].map((mib) => String(mib ?? '-')),
    ]);
}
