// Remembers which payload came under a client's Idempotency-Key, for work whose own document is found by other means.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';

export type CommandAccepted = EventOf<'command.accepted', { readonly hash: string }>;

export const commands: StreamKind<{ readonly hash: string }, CommandAccepted> = {
  name: 'command',
  initial: { hash: '' },
  evolve: (_, { data }) => ({ hash: data.hash }),
  retention: 'inline',
};

export function commandOf(commandId: string): StreamRef<{ readonly hash: string }, CommandAccepted> {
  return streamOf(commands, commandId);
}
