// One client key, one effect: the id that a repeat meets again, and the joining of repeats while the first still runs.
import { isRefusal, type Refusal, refuse } from '../errors.ts';
import { idOf } from '../ids.ts';

/** The id of a command: uuid v5 of the route (method and template), the caller and the client's key. */
export function commandId(route: string, callerId: string, key: string): string {
  return idOf('command', route, callerId, key);
}

/**
 * Lets a repeat join the run of its first try, in this process. Across processes the first write decides.
 * Same id and other payload: IDEMPOTENCY_KEY_REUSED. Nothing is kept after the run.
 */
export class Joining<T extends { readonly replayed: boolean }> {
  readonly #running = new Map<string, { readonly hash: string; readonly result: Promise<T | Refusal> }>();

  /** Runs `work`, or answers what the run under way answers, as a replay. */
  async run(
    { id, hash }: { readonly id: string; readonly hash: string },
    work: () => Promise<T | Refusal>,
  ): Promise<T | Refusal> {
    const running = this.#running.get(id);
    if (running) {
      if (running.hash !== hash) return refuse('IDEMPOTENCY_KEY_REUSED');
      const joined = await running.result;
      return isRefusal(joined) ? joined : { ...joined, replayed: true };
    }
    const result = work();
    this.#running.set(id, { hash, result });
    try {
      return await result;
    } finally {
      this.#running.delete(id);
    }
  }
}
