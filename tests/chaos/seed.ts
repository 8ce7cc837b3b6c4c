// One seed from its plan to its report: a mesh of its own, load, faults, healing, rest, and everything that can be checked.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreeBase } from '../../stack/ports.ts';
import { openDoors } from '../acceptance/open-world.ts';
import type { Attempt, Gateway } from '../client/gateway.ts';
import type { Order } from '../client/retail.ts';
import { checkInvariants } from '../invariants/check.ts';
import { gatherEvidence } from '../invariants/evidence.ts';
import { Clerks } from './clerks.ts';
import { type Coverage, coverageOf, type Disturbance, emptyCoverage, historiesOf } from './coverage.ts';
import type { ChaosWorld } from './fault.ts';
import { calmProvider } from './faults/provider.ts';
import { type Finding, judgePurchases, outcomesOf } from './finding.ts';
import { followAll } from './load.ts';
import { stockShelves } from './orders.ts';
import { BURST_LEAD_MS, type Plan, type PlannedStrike, planTail } from './plan.ts';
import { randomOf } from './random.ts';
import { type Calm, secondsAfter } from './recovery.ts';
import { type Broker, Rig } from './rig.ts';
import { RunnerMesh } from './runner.ts';
import { type Purchase, Shoppers } from './shoppers.ts';
import { timelineOf } from './timeline.ts';

export interface SeedReport {
  readonly seed: number;
  readonly minutes: number;
  /** Wall time of all of it, in seconds. */
  readonly took: number;
  /** Orders by how they ended. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly disturbances: readonly Disturbance[];
  /** Seconds from the last healing to the end of each order that was open then. */
  readonly open: readonly number[];
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
  /** Timelines of the orders concerned. */
  readonly timelines: readonly string[];
  /** Kept when something was found. */
  readonly dataDir?: string;
}

export interface SeedOptions {
  readonly broker?: Broker;
  readonly log?: (line: string) => void;
  /** Keeps the data also when all is well. */
  readonly keep?: boolean;
  readonly signal?: AbortSignal;
}

/** Until an answered order has to be final, and views the same as their streams, once all is healed (I2). */
const REST_SECONDS = 60;
/** On top of the load: the start, the healing of the last fault, the rest and the checks. */
const MARGIN_MS = 6 * 60_000;
const TIMELINES = 5;

/** Plays a plan. Never throws for what it finds; ends by itself, and leaves no process and no file (but a failed seed's data). */
export async function runSeed(
  plan: Plan,
  { broker = 'kfake', log = () => {}, keep = false, signal }: SeedOptions = {},
): Promise<SeedReport> {
  const started = Date.now();
  const dataDir = mkdtempSync(join(tmpdir(), `retail-chaos-${plan.seed}-`));
  const run = new Run(plan, broker, dataDir, log);
  const limit = new AbortController();
  const late = setTimeout(() => limit.abort(new Error('the seed did not end in its time')), plan.length + MARGIN_MS);
  const cut = AbortSignal.any([limit.signal, ...(signal ? [signal] : [])]);
  const cutOff = new Promise<never>((_, reject) => cut.addEventListener('abort', () => reject(cut.reason)));
  try {
    await Promise.race([run.play(), cutOff]);
  } catch (error) {
    run.findings.push({ invariant: 'healing', subject: `seed ${plan.seed}`, what: String((error as Error).stack) });
  } finally {
    clearTimeout(late);
    await run.close(keep || run.findings.length > 0);
  }
  const failed = run.findings.length > 0;
  if (!failed && !keep) rmSync(dataDir, { recursive: true, force: true });
  const { outcomes, disturbances, open, findings, coverage, timelines } = run;
  const { seed, minutes } = plan;
  const took = (Date.now() - started) / 1_000;
  return {
    ...{ seed, minutes, took, outcomes, disturbances, open, findings, coverage, timelines },
    ...(failed || keep ? { dataDir } : {}),
  };
}

class Run {
  readonly #plan: Plan;
  readonly #dataDir: string;
  readonly #log: (line: string) => void;
  readonly #rig: Rig;
  readonly #attempts: Attempt[] = [];
  readonly #struck: { began: number; healed: number }[] = [];
  #mesh: RunnerMesh | undefined;
  #doors: ReturnType<typeof openDoors> | undefined;
  readonly disturbances: Disturbance[] = [];
  readonly findings: Finding[] = [];
  readonly timelines: string[] = [];
  outcomes: Record<string, number> = {};
  open: number[] = [];
  coverage: Coverage = emptyCoverage();

  constructor(plan: Plan, broker: Broker, dataDir: string, log: (line: string) => void) {
    this.#plan = plan;
    this.#rig = new Rig(plan.needs, broker, dataDir);
    this.#dataDir = dataDir;
    this.#log = log;
  }

  async play(): Promise<void> {
    const { length, seed } = this.#plan;
    const rig = this.#rig;
    const mesh = await RunnerMesh.start(
      { ...rig.options, base: await findFreeBase(), dataDir: this.#dataDir },
      {
        onStart: (laidOut) => {
          this.#mesh = laidOut;
          rig.onStart(laidOut);
        },
        beforeRestart: () => rig.beforeRestart(),
        log: this.#log,
      },
    );
    const doors = openDoors(mesh.url, mesh.secrets, {
      connections: 256,
      observe: (attempt) => this.#attempts.push(attempt),
    });
    this.#doors = doors;
    await stockShelves(doors.admin);
    await calmProvider(mesh);

    const shoppers = new Shoppers(doors.customer, doors.admin, length + REST_SECONDS * 1_000);
    const begun = Date.now();
    const clerks = new Clerks(doors.admin, shoppers.patience);
    const load = Promise.all([shoppers.send(this.#plan.orders), clerks.work(this.#plan.work)]);
    const world: ChaosWorld = { mesh, random: randomOf(seed, 'faults'), log: this.#log };
    for (const strike of this.#plan.strikes) await this.#strike(strike, begun, world, shoppers);
    this.#log('all is healed');
    await load;
    await Promise.all([shoppers.answered(), clerks.answered()]);
    await this.#judge(mesh, doors.admin, shoppers, clerks);
  }

  async close(keep: boolean): Promise<void> {
    await this.#doors?.anybody.close();
    await this.#mesh?.stop();
    await this.#rig.close(this.#dataDir, keep);
  }

  /** The times between the healing of one hand of faults and the blow of the next. */
  get #calms(): Calm[] {
    const strikes = this.#struck;
    return strikes.map(({ healed }, index) => ({ from: healed, to: strikes[index + 1]?.began ?? Infinity }));
  }

  /** A burst, in the middle of it the blow of a hand of faults, and their healing. */
  async #strike(
    { at, cards, burst }: PlannedStrike,
    begun: number,
    world: ChaosWorld,
    shoppers: Shoppers,
  ): Promise<void> {
    await sleep(Math.max(0, begun + at - BURST_LEAD_MS - Date.now()));
    void shoppers.send(burst);
    await sleep(BURST_LEAD_MS);
    const began = Date.now();
    await Promise.all(
      cards.map(async ({ holds, make }) => {
        const fault = make(this.#rig);
        const disturbance: Disturbance = { fault: fault.name, hits: fault.hits, from: Date.now(), to: Infinity };
        this.disturbances.push(disturbance);
        this.#log(`${fault.name} strikes`);
        const broken = (invariant: 'fault' | 'healing') => (error: Error) => {
          this.findings.push({ invariant, subject: fault.name, what: error.message });
        };
        await fault.strike(world).catch(broken('fault'));
        await sleep(holds * 1_000);
        await fault.heal(world).catch(broken('healing'));
        disturbance.to = Date.now();
        this.#log(`${fault.name} is healed after ${((disturbance.to - disturbance.from) / 1_000).toFixed(1)} s`);
      }),
    );
    this.#struck.push({ began, healed: Date.now() });
    await calmProvider(world.mesh).catch((error) => this.#log(`the provider keeps its troubles: ${error.message}`));
  }

  async #judge(mesh: RunnerMesh, admin: Gateway, shoppers: Shoppers, clerks: Clerks): Promise<void> {
    // Whoever comes after the storm is served as if there had been none.
    await shoppers.send(planTail(this.#plan.seed));
    await shoppers.answered();
    const { purchases } = shoppers;
    const bought = purchases.filter((each): each is Purchase & { order: Order } => each.order !== undefined);
    const told = bought.map(({ planned, order }) => ({ key: planned.key, request: planned.request, order }));
    const final = new Map((await followAll(admin, told, REST_SECONDS)).map((order) => [order.id, order]));
    const repeated = await shoppers.repeat(bought);
    const answered = [
      ...bought.map(({ planned, order }) => ({ key: planned.key, orderId: order.id })),
      ...bought.map(({ planned }, index) => ({ key: planned.key, orderId: repeated[index] ?? '' })),
    ];
    const skewed = this.#plan.needs.some(({ clock }) => clock !== undefined);
    this.findings.push(
      ...(await checkInvariants(mesh, { answered, within: REST_SECONDS * 1_000, out: null })),
      ...judgePurchases(purchases, final, skewed),
      ...(await clerks.judge(skewed)).map((each): Finding => ({ invariant: 'answers', ...each })),
      ...(await auditFindings(admin)),
      ...shoppers.odd
        .filter((what) => !(skewed && what.includes('answered 401')))
        .map((what): Finding => ({ invariant: 'answers', subject: 'client', what })),
    );
    const evidence = await gatherEvidence(mesh);
    const histories = historiesOf(evidence);
    this.coverage = coverageOf(histories.values(), this.disturbances);
    this.open = secondsAfter(this.#calms, histories.values());
    const slowest = Math.max(0, ...this.open);
    if (slowest > REST_SECONDS) {
      const what = `an order came to its end only ${slowest.toFixed(1)} s after the healing`;
      this.findings.push({ invariant: 'I2', subject: 'orders', what });
    }
    this.outcomes = { ...outcomesOf(purchases, final), ...clerks.outcomes };
    const concerned = [...new Set(this.findings.flatMap(({ orderId }) => orderId ?? []))].slice(0, TIMELINES);
    const witnesses = { evidence, attempts: this.#attempts, disturbances: this.disturbances };
    for (const orderId of concerned) {
      const key = purchases.find(({ order }) => order?.id === orderId)?.planned.key;
      this.timelines.push(timelineOf(orderId, key, witnesses));
    }
  }
}

/** The chain of the audit, as the gateway tells of it. */
async function auditFindings(admin: Gateway): Promise<Finding[]> {
  const { body } = await admin.call<{ intact: boolean; broken: unknown[] }>('GET', '/api/v1/audit/verify');
  return body.intact ? [] : [{ invariant: 'I8', subject: 'audit chain', what: JSON.stringify(body.broken) }];
}
