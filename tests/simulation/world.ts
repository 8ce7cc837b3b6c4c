// Everything that one episode consists of: time, broker, stores, views, the provider, and the processes, which come and go.

import type { Reply } from '../../services/kit/dapr/sidecar.ts';
import { isRefusal } from '../../services/kit/errors.ts';
import { Contracts } from '../../services/kit/events/contracts.ts';
import type { Log } from '../../services/kit/log.ts';
import { type FakeViews, fakeViews } from '../../services/kit/testing/fake-views.ts';
import type { Violation } from '../invariants/violation.ts';
import { productOf, shops } from './assortment.ts';
import { Broker } from './broker.ts';
import { CardAccount } from './card-provider.ts';
import { Documents } from './documents.ts';
import { dueIn } from './due.ts';
import { SimulatedProcess } from './process.ts';
import { Random } from './random.ts';
import { REPLICAS } from './services.ts';
import { VirtualTime } from './virtual-time.ts';
import { Weather } from './weather.ts';

/** Compiled once for all episodes of a thread. */
const contracts = new Contracts();

export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly weather: Weather;
  readonly broker: Broker;
  readonly account: CardAccount;
  readonly contracts = contracts;
  readonly deadlineSeconds: number;
  readonly log: Log;
  /** What was seen to be wrong while it happened. */
  readonly violations: Violation[] = [];
  crashes = 0;
  /** Is told everything that happens, when somebody wants to know. */
  trace: ((happened: string) => void) | undefined;
  readonly #stores = new Map<string, Documents>();
  readonly #views = new Map<string, FakeViews>();
  readonly #processes: SimulatedProcess[] = [];
  readonly #mourners = new Map<SimulatedProcess, (() => void)[]>();

  constructor(seed: number) {
    this.random = new Random(seed);
    this.weather = new Weather(this.random);
    this.broker = new Broker(this);
    this.account = new CardAccount(this);
    // In one episode of four the deadline comes while the saga is at work; else it must not be what ends an order.
    this.deadlineSeconds = this.random.chance(0.25) ? this.random.between(1, 12) : 900;
    this.log = quiet;
    for (const appId of Object.keys(REPLICAS)) {
      const views = fakeViews();
      views.find = (query) => dueIn(views, query, this.time.date());
      this.#views.set(`views-${appId}`, views);
    }
  }

  /** Starts every process. */
  async start(): Promise<void> {
    for (const [appId, count] of Object.entries(REPLICAS)) {
      for (let replica = 0; replica < count; replica += 1) await this.#begin(appId, replica);
    }
  }

  async #begin(appId: string, replica: number): Promise<void> {
    const process = new SimulatedProcess(this, appId, replica);
    this.#processes.push(process);
    this.trace?.(`${process.name} starts`);
    await process.start();
  }

  /** A process has died: it comes again after some seconds, without its memory. */
  crashed(process: SimulatedProcess): void {
    this.crashes += 1;
    this.trace?.(`${process.name} dies`);
    this.#processes.splice(this.#processes.indexOf(process), 1);
    for (const mourn of this.#mourners.get(process) ?? []) mourn();
    this.#mourners.delete(process);
    this.broker.miss(process);
    this.time.schedule(this.random.between(500, 8_000), () => void this.#begin(process.appId, process.replica));
  }

  onCrash(process: SimulatedProcess, mourn: () => void): void {
    this.#mourners.set(process, [...(this.#mourners.get(process) ?? []), mourn]);
  }

  /** Something was thrown that is neither fault nor conflict. */
  failed(process: SimulatedProcess, error: unknown): void {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.violations.push({ invariant: 'I6', subject: process.name, what: `threw ${what}` });
  }

  store(name: string): Documents {
    const known = this.#stores.get(name);
    if (known) return known;
    const made = new Documents(
      () => this.time.now,
      (violation) => this.violations.push(violation),
    );
    this.#stores.set(name, made);
    return made;
  }

  views(appId: string): FakeViews {
    return this.#views.get(`views-${appId}`) as FakeViews;
  }

  /** One of the processes of a service that live; undefined if none does. */
  some(appId: string): SimulatedProcess | undefined {
    const living = this.#processes.filter((process) => process.appId === appId);
    return living.length > 0 ? this.random.pick(living) : undefined;
  }

  bind(name: string, operation: string, metadata: Record<string, string>, data: unknown): unknown {
    if (name === 'mail') return { to: metadata.emailTo, data };
    return this.#views.get(name)?.binding(operation, metadata);
  }

  /** A call of one service by another. Never rejects; does not settle when who is called dies. */
  async invoke(appId: string, method: string, path: string, body: unknown): Promise<Reply> {
    if (appId === 'shop') return reply(200, shops.get(path.slice('/internal/shops/'.length)));
    if (appId === 'product') {
      const { questions } = body as { questions: { skus: string[] }[] };
      return reply(200, { answers: questions.map(({ skus }) => ({ prices: skus.map(productOf) })) });
    }
    if (appId === 'auth') return reply(200, { email: 'someone@example.test', name: 'Someone' });
    if (appId === 'payment-provider') return this.#askProvider(path, body);
    const process = this.some(appId);
    if (!process) return reply(500, { errorCode: 'ERR_DIRECT_INVOKE' });
    const result = await process.request({ method, path, body });
    if (result === undefined || isRefusal(result)) return reply(503, undefined);
    return reply(result.status, result.body ?? undefined);
  }

  async #askProvider(path: string, body: unknown): Promise<Reply> {
    const what = path.slice('/internal/'.length) as 'capture' | 'refund' | 'lookup';
    try {
      return reply(200, await this.account.adapter[what](body as never));
    } catch {
      return reply(503, undefined);
    }
  }
}

function reply(status: number, body: unknown): Reply {
  return { status, headers: {}, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) };
}

const nothing = () => undefined;
const quiet = {
  ...{ trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing },
  child: () => quiet,
  isLevelEnabled: () => false,
} as unknown as Log;
