// All faults there are, as cards that are dealt to seeds in turn: every process meets every fate, none is left to luck.
import { sidecarOf } from '../../stack/app-processes.ts';
import { services } from '../../stack/services.ts';
import type { Fault } from './fault.ts';
import { lostAnswers } from './faults/answers.ts';
import { clockOff } from './faults/clock.ts';
import { type Disorder, deliveries } from './faults/deliveries.ts';
import { fullDisk } from './faults/full-disk.ts';
import { killProcess, loseReplica, pauseProcess, restartProcess } from './faults/process.ts';
import { providerTrouble, providerTroubles } from './faults/provider.ts';
import { cutRebuild } from './faults/rebuild.ts';
import { killRunner } from './faults/runner.ts';
import { cutShort, settingsEdited, withMetadata } from './faults/settings.ts';
import type { Side } from './interposers.ts';
import { type Random, randomOf, shuffled } from './random.ts';
import type { Needs, Rig } from './rig.ts';

export interface Card {
  readonly name: string;
  readonly hits: readonly string[];
  /** Seconds from the strike to the healing. */
  readonly holds: number;
  /** No other fault beside it. */
  readonly alone?: boolean;
  /** What the mesh has to be started with. */
  readonly needs?: Needs;
  make(rig: Rig): Fault;
}

const PAUSE_SECONDS = 10;
const apps = services.map(({ appId }) => appId);
const ground = ['broker', 'postgres', 'mail', 'card-provider'];

/** Every process of a mesh, as the coverage table names them; replicas count as the first. */
export const processNames: readonly string[] = [...apps, ...apps.map(sidecarOf), ...ground, 'runner'];

const fates: readonly ((name: string) => Card)[] = [
  (name) => plain(killProcess(name), 0),
  (name) => plain(pauseProcess(name), PAUSE_SECONDS),
  (name) => plain(restartProcess(name), 1),
];

function plain(fault: Fault, holds: number): Card {
  return { name: fault.name, hits: fault.hits, holds, make: () => fault };
}

/** A fault that needs something of the rig. Its name does not, so it can be asked of one that stands for any. */
function rigged(make: (rig: Rig) => Fault, holds: number, needs: Needs): Card {
  const { name, hits } = make(anyRig);
  return { name, hits, holds, needs, make };
}
const anyRig = { brokerFolder: 'broker' } as Rig;

const replica = (appId: string): Card => ({
  ...plain(loseReplica(`${appId}-2`, sidecarOf(`${appId}-2`)), 8),
  needs: { replicated: appId },
});
const disorder = (appId: string, kind: Disorder): Card =>
  rigged(({ interposers }) => deliveries({ interposers, appId, disorder: kind }), 8, { interposed: appId });
const lost = (appId: string, side: Side, cut: 'after' | 'before'): Card =>
  rigged(({ interposers }) => lostAnswers({ interposers, appId, side, cut }), 8, { interposed: appId });
const full = (disk: string, hits: string): Card =>
  rigged(
    ({ disks, brokerFolder }) => fullDisk({ disks, disk: disk === 'broker' ? brokerFolder : disk, hits: [hits] }),
    6,
    { disk },
  );
const clock = (appId: string, minutes: number): Card =>
  rigged(({ clocks }) => clockOff({ clocks, appId, minutes }), 10, { clock: appId });
const edited = (...[appId, file, what, edit, apply]: EditedSettings): Card => ({
  ...plain(settingsEdited({ appId, file, what, edit, apply }), 6),
  needs: { hotReload: apply === 'live' },
});
type EditedSettings = [string, string, string, (text: string) => string, 'live' | 'restart'];

const slowerRetries = (text: string) => text.replace('duration: 1s', 'duration: 2s');

/** What is not the fate of a single process. */
const specials: readonly Card[] = [
  { ...plain(killRunner(), 2), alone: true },
  ...['order', 'inventory', 'payment', 'notification'].map(replica),
  ...['report', sidecarOf('report'), 'postgres'].map((victim) => ({
    ...plain(cutRebuild(victim), 0),
    alone: true,
  })),
  ...providerTroubles.map((trouble) => plain(providerTrouble(trouble), 6)),
  ...['order', 'inventory', 'payment', 'report'].flatMap((appId) =>
    (['doubled', 'reordered', 'unanswered'] as const).map((kind) => disorder(appId, kind)),
  ),
  ...['order', 'inventory', 'notification'].map((appId) => disorder(appId, 'delayed')),
  ...['payment', 'inventory'].map((appId) => disorder(appId, 'held back')),
  ...['order', 'notification'].map((appId) => disorder(appId, 'dropped')),
  ...['gateway', 'order'].flatMap((appId) => [lost(appId, 'toApp', 'after'), lost(appId, 'toApp', 'before')]),
  ...['order', 'inventory', 'payment'].map((appId) => lost(appId, 'toSidecar', 'after')),
  lost('payment', 'toSidecar', 'before'),
  ...['order', 'inventory', 'notification'].map((appId) => full(appId, sidecarOf(appId))),
  full('broker', 'broker'),
  full('postgres', 'postgres'),
  ...['order', 'inventory', 'payment', 'auth', 'gateway'].flatMap((appId) => [clock(appId, 10), clock(appId, -10)]),
  edited('order', 'component-pubsub-saga.yaml', 'a longer session', withMetadata('sessionTimeout', '10s'), 'live'),
  edited(
    'inventory',
    'component-statestore-inventory.yaml',
    'less patience',
    withMetadata('busyTimeout', '5s'),
    'live',
  ),
  edited('payment', 'component-statestore-payment.yaml', 'more connections', withMetadata('maxConns', '3'), 'restart'),
  edited('notification', 'component-pubsub-effects.yaml', 'half a file', cutShort, 'restart'),
  edited('order', 'resiliency-pubsub.yaml', 'slower retries', slowerRetries, 'live'),
  edited('inventory', 'resiliency-pubsub.yaml', 'slower retries', slowerRetries, 'restart'),
];

/** Three rounds: in each every process meets one of its fates, and a third of the specials occurs. */
function cycle(random: Random): Card[] {
  const mixed = shuffled(random, specials);
  return fates.flatMap((_, round) => {
    const own = processNames
      .filter((name) => name !== 'runner')
      .map((name, index) => fates[(index + round) % fates.length]?.(name));
    const special = mixed.filter((_card, index) => index % fates.length === round);
    return shuffled(random, [...own.filter((card) => card !== undefined), ...special]);
  });
}

/** The cards of a seed: seeds in a row go through the whole deck and then through it in another order. */
export function deal(seed: number, count: number): Card[] {
  const size = cycle(() => 0).length;
  return Array.from({ length: count }, (_, index) => {
    const place = seed * count + index;
    const cards = cycle(randomOf(Math.floor(place / size), 'deck'));
    return cards[place % size] as Card;
  });
}

/** The same cards in hands that strike together: neighbours that disturb different processes, until `hands` are left. */
export function inHands(cards: readonly Card[], hands: number): Card[][] {
  const made = cards.map((card) => [card]);
  for (let at = 0; made.length > hands && at < made.length - 1; at++) {
    const [here = [], next = []] = made.slice(at, at + 2);
    if (canMeet([...here, ...next])) made.splice(at, 2, [...here, ...next]);
  }
  return made;
}

function canMeet(cards: readonly Card[]): boolean {
  const hit = cards.flatMap(({ hits }) => hits);
  return cards.length <= 2 && cards.every(({ alone }) => !alone) && new Set(hit).size === hit.length;
}
