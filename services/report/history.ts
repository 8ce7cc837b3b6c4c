// What the owner of a stream says about it: the way to heal a gap.
import { lookUp } from '#kit/dapr/ask';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Poison } from '#kit/errors';
import type { ContractCheck } from '#kit/events/contracts';
import { type Message, toMessage } from '#kit/events/message';
import { newest } from '#kit/events/upcasters';

/** A stream, as any message of it names it. */
export type StreamName = Pick<Message, 'topic' | 'source' | 'stream'>;

export interface History {
  /** What follows, in order and without a gap. */
  readonly events: readonly Message[];
  /** Why it ends before what the owner holds: the next version, and what is wrong with it. */
  readonly broken?: { readonly version: number; readonly reason: string };
}

/** Answers the events of a stream after a version. @throws {Fault} the owner is out of reach. */
export type ReadHistory = (stream: StreamName, after: number) => Promise<History>;

/** Asks the owner (`message.source` is its app-id) through the own sidecar. */
export function historyOf(sidecar: Sidecar, contracts: ContractCheck): ReadHistory {
  return async ({ topic, source, stream }, after) => {
    const path = `/internal/streams/${encodeURIComponent(stream)}`;
    const given = await lookUp<{ events: unknown[] }>(sidecar, { to: source, method: 'GET', path, timeout: 2_000 });
    if (!given) return { events: [] };
    const events: Message[] = [];
    for (const event of given.events) {
      const version = after + events.length + 1;
      try {
        const message = toMessage(topic, event);
        if (message.version < version) continue;
        if (message.version > version) return { events, broken: { version, reason: 'MISSING_AT_OWNER' } };
        contracts.check(message.type, message.schemaVersion, message.data);
        events.push(newest(message));
      } catch (error) {
        if (!(error instanceof Poison)) throw error;
        return { events, broken: { version, reason: error.reason } };
      }
    }
    return { events };
  };
}
