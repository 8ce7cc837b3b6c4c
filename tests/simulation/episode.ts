// One episode: the services start, people order while things go wrong, everything heals, and the invariants are checked.
import { atOnce, atRest } from '../invariants/checkers.ts';
import { compareSnapshots, type Snapshot } from '../invariants/redelivery.ts';
import { INVARIANTS, type Violation } from '../invariants/violation.ts';
import { Clients } from './clients.ts';
import { type Found, gather } from './evidence.ts';
import { enter } from './virtual-time.ts';
import { World } from './world.ts';

/** Milliseconds after the last fault within which every order is final (I2). */
const TO_REST = 60_000;
/** Milliseconds in which nothing may be said any more. */
const SILENCE = 20_000;
/** Messages for each order, faults included: nine are usual. Beyond that somebody answers himself. */
const MOST_MESSAGES = 60;

export interface EpisodeResult {
  readonly seed: number;
  readonly orders: number;
  readonly violations: readonly Violation[];
  readonly messages: number;
  readonly crashes: number;
  /** What happened, when it was asked for. */
  readonly trace: readonly string[];
}

export interface EpisodeOptions {
  readonly seed: number;
  readonly orders: number;
  readonly trace?: boolean;
}

/** Runs one episode. The same seed and orders give the same episode. Takes over the thread's timers. */
export async function runEpisode({ seed, orders, trace = false }: EpisodeOptions): Promise<EpisodeResult> {
  const world = new World(seed);
  const { time, broker, weather } = world;
  const happened: string[] = [];
  if (trace) world.trace = (what) => happened.push(`${(time.now / 1_000).toFixed(3)} ${what}`);
  enter(world);
  const clients = new Clients(world);
  watch(world, 1_000 + MOST_MESSAGES * orders);
  const storm = weather.interrupt();
  await world.start();
  const stocked = clients.stockUp(orders);
  await settled(world, stocked);
  storm();
  const length = clients.open(orders);
  await time.pass(time.now + length + world.random.between(1_000, 20_000));
  weather.heal();
  await time.pass(time.now + TO_REST);
  const said = broker.length;
  const found = gather(world);
  await time.pass(time.now + SILENCE);
  const violations = [...world.violations, ...judge(found, clients)];
  if (broker.length > said) violations.push(restless(`${broker.length - said} messages more at rest`));
  if (broker.lag > 0) violations.push(restless(`${broker.lag} messages are not taken`));
  if (violations.length === 0 && world.random.chance(0.1)) violations.push(...(await redeliver(world, found)));
  return { seed, orders, violations, messages: broker.length, crashes: world.crashes, trace: happened };
}

function judge({ evidence, violations }: Found, { answered }: Clients): Violation[] {
  return [...violations, ...atOnce(evidence, answered), ...atRest(evidence, answered, new Set())];
}

/** Lets time pass until something is done. @throws {Error} it takes too long, although nothing goes wrong */
async function settled({ time, violations }: World, done: Promise<void>): Promise<void> {
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  for (let waited = 0; !isDone; waited += 1) {
    if (waited === 30) throw new Error(`the shelves are not filled: ${tell(violations)}`);
    await time.pass(time.now + 1_000);
  }
}

/** Ends an episode that would not end by itself. */
function watch(world: World, most: number): void {
  const { time, broker, violations } = world;
  time.schedule(1_000, () => {
    if (broker.length <= most) return watch(world, most);
    violations.push(restless(`more than ${most} messages: somebody echoes`));
    time.stop();
  });
}

function restless(what: string): Violation {
  return { invariant: 'I6', subject: 'the broker', what };
}

/** I12: everything from the start once more. It changes nothing, and it ends. */
async function redeliver(world: World, { evidence }: Found): Promise<Violation[]> {
  const { broker, time } = world;
  const said = broker.length;
  const before = snapshot(evidence);
  broker.rewindAll();
  await time.pass(time.now + TO_REST);
  const violations = compareSnapshots(before, snapshot(gather(world).evidence));
  if (broker.lag > 0) violations.push({ invariant: 'I12', subject: 'the broker', what: `${broker.lag} not taken` });
  if (broker.length > 2 * said) violations.push({ invariant: 'I12', subject: 'the broker', what: 'echoes' });
  return violations;
}

function snapshot({ services }: Found['evidence']): Snapshot {
  return new Map(
    [...services].flatMap(([appId, { streams }]) =>
      [...streams].map(
        ([key, { document }]) => [`${appId} ${key}`, JSON.stringify([document.version, document.state])] as const,
      ),
    ),
  );
}

/** What was broken, in the words of the invariants. */
export function tell(violations: readonly Violation[], most = 10): string {
  const lines = violations.slice(0, most).map(({ invariant, orderId, subject, what }) => {
    const promise = invariant === 'I12' ? 'redelivery changes nothing' : INVARIANTS[invariant];
    return `  ${invariant} (${promise})\n     ${orderId ? `order ${orderId}: ` : ''}${subject}: ${what}`;
  });
  if (violations.length > most) lines.push(`  and ${violations.length - most} more`);
  return lines.join('\n');
}
