// What goes wrong in an episode, and how often. Each episode has weather of its own: some faults often, others not at all.
import type { Random } from './random.ts';

/** What becomes of one call of the sidecar. */
export type Fate =
  | 'answered'
  /** It never arrived: nothing was done. */
  | 'lost'
  /** It was done, and the answer is gone. */
  | 'answer lost'
  | 'slow'
  /** The sidecar stands still, then goes on where it stood: what was asked meanwhile is done when nobody waits for it. */
  | 'freeze'
  /** The process dies before the call arrives. */
  | 'crash before'
  /** The process dies when the call is done. */
  | 'crash after'
  /** The process stands still for a while when the call is done, and goes on as if nothing had happened. */
  | 'pause';

/** Probabilities: of a call, of a delivery, or of what the name says. */
export interface Rates {
  readonly lost: number;
  readonly answerLost: number;
  readonly slow: number;
  readonly freeze: number;
  readonly crash: number;
  readonly pause: number;
  /** A bulk read that shows what was stored a moment ago. */
  readonly staleRead: number;
  /** A bulk publish of which the broker takes only some. */
  readonly partialPublish: number;
  /** A delivery that the service never gets; it comes again. */
  readonly deliveryLost: number;
  /** A delivery whose answer the sidecar never gets; it comes again. */
  readonly acknowledgementLost: number;
  /** A partition that begins again some messages before. */
  readonly rewind: number;
  /** Messages delivered before others that stand before them, and once more in their turn. */
  readonly overtake: number;
  /** A partition that stands still for some seconds. */
  readonly stall: number;
  /** A call of another service that is made twice. */
  readonly doubledCall: number;
  /** A client that sends the same command twice at once. */
  readonly doubleClick: number;
}

const STORMY: Rates = {
  lost: 0.004,
  answerLost: 0.006,
  slow: 0.004,
  freeze: 0.0003,
  crash: 0.001,
  pause: 0.0003,
  staleRead: 0.05,
  partialPublish: 0.02,
  deliveryLost: 0.01,
  acknowledgementLost: 0.03,
  rewind: 0.03,
  overtake: 0.06,
  stall: 0.01,
  doubledCall: 0.02,
  doubleClick: 0.05,
};

const CALM = Object.fromEntries(Object.keys(STORMY).map((name) => [name, 0])) as unknown as Rates;

export class Weather {
  #rates: Rates = CALM;
  #fates: readonly (readonly [Fate, number])[] = [];
  readonly #random: Random;

  /** Half of the faults, each up to twice as often as in a storm. */
  constructor(random: Random) {
    this.#random = random;
    const drawn = Object.entries(STORMY).map(([name, rate]) => [
      name,
      random.chance(0.6) ? rate * random.between(0.3, 2) : 0,
    ]);
    this.#set(Object.fromEntries(drawn) as Rates);
  }

  get rates(): Rates {
    return this.#rates;
  }

  /** No more faults. */
  heal(): void {
    this.#set(CALM);
  }

  /** No faults until the answer is called. */
  interrupt(): () => void {
    const rates = this.#rates;
    this.heal();
    return () => this.#set(rates);
  }

  #set(rates: Rates): void {
    const { lost, answerLost, slow, freeze, crash, pause } = rates;
    this.#rates = rates;
    this.#fates = [
      ['lost', lost],
      ['answer lost', answerLost],
      ['slow', slow],
      ['freeze', freeze],
      ['crash before', crash / 2],
      ['crash after', crash / 2],
      ['pause', pause],
    ];
  }

  happens(what: keyof Rates): boolean {
    const rate = this.#rates[what];
    return rate > 0 && this.#random.chance(rate);
  }

  /** Draws the fate of a call. */
  fate(): Fate {
    let rest = this.#random.next();
    for (const [fate, rate] of this.#fates) {
      rest -= rate;
      if (rest < 0) return fate;
    }
    return 'answered';
  }
}
