// One client key, one effect: the id that a repeat meets again, and the joining of repeats while the first still runs.
import { type Refusal, refuse } from '../errors.ts';
import { idOf } from '../ids.ts';

/** The id of a command: uuid v5 of the route (method and template), the caller and the client's key (design section 4). */
export function commandId(route: string, callerId: string, key: string): string {
  return idOf('command', route, callerId, key);
}

/**
 * Lets a repeat join the run of its first try, in this process. Across processes the first write decides.
 * Same id and other payload: IDEMPOTENCY_KEY_REUSED. Nothing is kept after the run.
 */
export class Joining<T> {
  readonly #running = new Map<string, { readonly payloadHash: string; readonly result: Promise<T> }>();

  /** Runs `work`, or answers what the run under way answers; `joined` tells which. */
  async run(
    id: string,
    payloadHash: string,
    work: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly joined: boolean } | Refusal> {
    const running = this.#running.get(id);
    if (running) {
      if (running.payloadHash !== payloadHash) return refuse('IDEMPOTENCY_KEY_REUSED');
      return { result: await running.result, joined: true };
    }
    const result = work();
    this.#running.set(id, { payloadHash, result });
    try {
      return { result: await result, joined: false };
    } finally {
      this.#running.delete(id);
    }
  }
}
