// A client's keyed command, done once however often it is sent: what it led to is kept in a document of its own.
import { isRefusal, type Refusal, refuse } from '../errors.ts';
import { type EventOf, type Origin, type StreamKind, type StreamRef, streamOf } from './aggregate.ts';
import type { CommandIdentity, Desk } from './desk.ts';
import type { Streams } from './streams.ts';

/** What was accepted under a key: the hash of the payload, and the answer as JSON. */
export interface Accepted {
  readonly hash: string;
  readonly result: unknown;
}
type AcceptedEvent = EventOf<'command.accepted', Accepted>;

export const acceptedCommands: StreamKind<Accepted, AcceptedEvent> = {
  name: 'accepted',
  initial: { hash: '', result: undefined },
  evolve: (_, { data }) => data,
  retention: 'inline',
};

export interface KeyedWork<R> {
  /** `{ id: call.commandId, hash: call.payloadHash }`. */
  readonly command: CommandIdentity;
  /** What it may change. */
  readonly touch: readonly StreamRef[];
  readonly origin: Origin;
  /** Decides, and answers what repeats are answered too: small, and the same after JSON. A refusal is not kept. */
  readonly decide: (desk: Desk) => R | Refusal;
}

/** The answer that was first given under the key. */
export interface Once<R> {
  readonly result: R;
  readonly replayed: boolean;
}

/**
 * Does the work and remembers its key in the same transaction, for ever. A repeat gets the first answer; another payload
 * under the key is refused with IDEMPOTENCY_KEY_REUSED. @throws {Fault} as {@link Streams.execute}: repeat it.
 */
export function once<R extends object>(
  streams: Streams,
  { command, touch, origin, decide }: KeyedWork<R>,
): Promise<Once<R> | Refusal> {
  const accepted: StreamRef<Accepted, AcceptedEvent> = streamOf(acceptedCommands, command.id);
  let tried = false; // an own try whose answer was lost is no repeat
  return streams.execute({
    // The key comes first: work queues by the first stream, and commands that meet on another one can travel together.
    touch: [accepted, ...touch],
    origin,
    decide(desk): Once<R> | Refusal {
      if (desk.version(accepted) > 0) {
        const { hash, result } = desk.state(accepted);
        if (hash !== command.hash) return refuse('IDEMPOTENCY_KEY_REUSED');
        return { result: result as R, replayed: !tried };
      }
      const result = decide(desk);
      if (isRefusal(result)) return result;
      desk.append(accepted, { type: 'command.accepted', data: { hash: command.hash, result } });
      tried = true;
      return { result, replayed: false };
    },
  });
}
