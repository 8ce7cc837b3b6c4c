// All faults there are, as cards that are dealt to seeds in turn: every process meets every fate, none is left to luck.
import { sidecarOf } from '../../stack/app-processes.ts';
import { services } from '../../stack/services.ts';
import type { Fault } from './fault.ts';
import { killProcess, loseReplica, pauseProcess, restartProcess } from './faults/process.ts';
import { providerTrouble, providerTroubles } from './faults/provider.ts';
import { killRunner } from './faults/runner.ts';
import { type Random, randomOf, shuffled } from './random.ts';

export interface Card {
  readonly fault: Fault;
  /** Seconds from the strike to the healing. */
  readonly holds: number;
  /** No other fault beside it. */
  readonly alone?: boolean;
  /** Service that the mesh has to run twice. */
  readonly replicated?: string;
}

const PAUSE_SECONDS = 10;
const apps = services.map(({ appId }) => appId);
const ground = ['broker', 'postgres', 'mail', 'card-provider'];

/** Every process of a mesh, as the coverage table names them; replicas count as the first. */
export const processNames: readonly string[] = [...apps, ...apps.map(sidecarOf), ...ground, 'runner'];

const fates: readonly ((name: string) => Card)[] = [
  (name) => ({ fault: killProcess(name), holds: 0 }),
  (name) => ({ fault: pauseProcess(name), holds: PAUSE_SECONDS }),
  (name) => ({ fault: restartProcess(name), holds: 1 }),
];

/** What is not the fate of a single process. */
const specials: readonly Card[] = [
  { fault: killRunner(), holds: 2, alone: true },
  ...['order', 'inventory', 'payment', 'notification'].map((appId) => ({
    fault: loseReplica(`${appId}-2`, sidecarOf(`${appId}-2`)),
    holds: 8,
    replicated: appId,
  })),
  ...providerTroubles.map((trouble) => ({ fault: providerTrouble(trouble), holds: 6 })),
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
  const hit = cards.flatMap(({ fault }) => fault.hits);
  return cards.length <= 2 && cards.every(({ alone }) => !alone) && new Set(hit).size === hit.length;
}
