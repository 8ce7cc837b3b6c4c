// From an HTTP call to the origin of the events that follow from it.
import { randomUUID } from 'node:crypto';
import type { Origin } from './aggregate.ts';

/** The part of a call that says who asks, and as which command. */
export interface CommandCall {
  readonly origin: { readonly actor: string; readonly correlationId: string; readonly traceparent: string };
  /** Keyed routes only: the same for every repeat. */
  readonly commandId?: string | undefined;
}

/**
 * The origin of what a call causes. A call without a key gets an id of its own, by which a try whose answer was lost is
 * known again (`Desk.wrote`); the request id would not do, since clients choose it.
 */
export function commandOrigin({ origin, commandId }: CommandCall): Origin {
  const { actor, correlationId, traceparent } = origin;
  return { actor, correlationId, traceparent, causationId: commandId ?? randomUUID() };
}
