// A door before a service that has more to do than it can: what it would refuse anyway is refused here, before it costs three hops.
import type { Clock } from '#kit/time';

/** By how much of what still passes a single refusal of the service closes the door. */
const STEP = 0.01;
/** Milliseconds in which the door opens by half of what is closed, as long as the service refuses. */
const HALF_LIFE = 4_000;
/** The same when it has refused nothing for so long: the flood is over. */
const CALM = 1_000;
/** Commands that are remembered; who was let in longest ago is forgotten. */
const MOST_KNOWN = 20_000;

/**
 * Refuses a share of the commands for a service: it grows with each one that the service itself refuses because it is
 * overloaded, and fades, so that a few always find out whether the service can do more. Only the service's own word counts:
 * one that is slow or dead is not helped by a closed door.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #known = new Set<string>();
  #share = 0;
  #at = 0;
  #refusedAt = 0;
  #owed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True if the command may go on. One that the service took before always may: its repeat gets the answer of the first try. */
  admits(command: string): boolean {
    this.#fade();
    if (this.#share < STEP) this.#owed = 0;
    if (this.#share < STEP || this.#known.has(command)) return true;
    // Evenly spread instead of drawn: at a share of 0.3 three of ten are refused, not none or six.
    this.#owed += this.#share;
    if (this.#owed < 1) return true;
    this.#owed -= 1;
    return false;
  }

  /** What became of a command that was let in: `overloaded` if the service had no time for it. */
  heard(command: string, overloaded: boolean): void {
    this.#fade();
    if (overloaded) {
      this.#refusedAt = this.#at;
      this.#share += STEP * (1 - this.#share);
      return;
    }
    this.#known.add(command);
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.values().next().value as string);
  }

  #fade(): void {
    const now = this.#clock().getTime();
    const halfLife = now - this.#refusedAt > CALM ? CALM : HALF_LIFE;
    this.#share *= 0.5 ** (Math.max(0, now - this.#at) / halfLife);
    this.#at = now;
  }
}
