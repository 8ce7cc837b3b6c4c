// Rules as sentences: given(kind, ...events).when(decide, command).then(...events), or .refuses(code, detail).
import { expect } from '@jest/globals';
import { type Decision, type DomainEvent, isRefusal, type StreamKind } from '../events/aggregate.ts';
import { Contracts } from '../events/contracts.ts';
import { newestVersion } from '../events/upcasters.ts';
import { hashOf } from '../ids.ts';

export interface When<S, E extends DomainEvent> {
  /** Runs the decision on what the given events add up to. */
  when<C>(decide: (state: S, command: C) => Decision<E>, command: C): Then<E>;
}

export interface Then<E extends DomainEvent> {
  /** Exactly these events; none: nothing happens. What is published is checked against its contract. */
  then(...events: E[]): void;
  /** This refusal. `detail` is compared only if it is named, and then whole. */
  refuses(code: string, detail?: Readonly<Record<string, unknown>>): void;
}

let contracts: Contracts | undefined;

/** Starts a sentence. Given events stand at versions 1, 2, ..., a second apart, from the start of 2026. */
export function given<S, E extends DomainEvent>(kind: StreamKind<S, E>, ...history: readonly E[]): When<S, E> {
  const fold = (state: S, event: E, index: number): S =>
    kind.evolve(state, event, { version: index + 1, at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString() });
  const state = history.reduce(fold, kind.initial);
  return {
    when(decide, command) {
      const before = hashOf(state ?? null);
      const decision = decide(state, command);
      expect(hashOf(state ?? null)).toBe(before); // a decision changes nothing by itself
      return {
        // biome-ignore lint/suspicious/noThenProperty: the sentence is never awaited
        then(...events) {
          expect(decision).toEqual(events);
          for (const [index, event] of (decision as readonly E[]).entries()) {
            fold(state, event, history.length + index);
            if (kind.topic === undefined) continue;
            contracts ??= new Contracts();
            // As it travels: what JSON leaves out or changes must not be promised.
            const payload: unknown = JSON.parse(JSON.stringify(event.data));
            contracts.check(event.type, newestVersion(event.type), payload);
          }
        },
        refuses(code, detail) {
          if (!isRefusal(decision)) throw new Error(`expected ${code}, got ${JSON.stringify(decision)}`);
          expect(decision.refused).toBe(code);
          if (detail !== undefined) expect(decision.detail).toEqual(detail);
        },
      };
    },
  };
}
