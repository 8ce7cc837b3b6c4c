// More orders than the system can carry are turned away at the door, at once: taken in, they would make all of them late.

export interface Limits {
  /** Orders placed here and not decided yet, from which on slowness counts. */
  readonly open: number;
  /** Milliseconds that placing an order takes on average, from which on the system counts as slow. */
  readonly slow: number;
}

/** Measured on two cores: a dozen open orders keep them busy, from 64 on batches grow no more and only the wait does. */
const LIMITS: Limits = { open: 64, slow: 150 };
/** Weight of the latest order in the average. */
const WEIGHT = 0.1;

/**
 * Counts what is under way. Open orders alone mean little (a slow card provider keeps them open without any work here),
 * nor does slowness alone (a cold start); together they are overload.
 */
export class Admission {
  readonly #limits: Limits;
  #open = 0;
  #average = 0;

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  /** True if one order more would only wait. */
  get overloaded(): boolean {
    return this.#open >= this.#limits.open && this.#average >= this.#limits.slow;
  }

  /** Places an order; `decided` tells when it is not open any more. */
  async place<T>(work: () => Promise<T>, decided: (placed: T) => Promise<unknown> | undefined): Promise<T> {
    const begun = performance.now();
    this.#open += 1;
    let open: Promise<unknown> | undefined;
    try {
      const placed = await work();
      open = decided(placed);
      return placed;
    } finally {
      this.#average += (performance.now() - begun - this.#average) * WEIGHT;
      const close = () => {
        this.#open -= 1;
      };
      if (open) void open.then(close, close);
      else close();
    }
  }
}
