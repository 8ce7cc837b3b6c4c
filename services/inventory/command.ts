// Remembers which payload came under a client's Idempotency-Key, for work whose own document is found by other means.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import type { CommandIdentity, Desk } from '#kit/events/desk';

type CommandAccepted = EventOf<'command.accepted', { readonly hash: string }>;

export const commands: StreamKind<{ readonly hash: string }, CommandAccepted> = {
  name: 'command',
  initial: { hash: '' },
  evolve: (_, { data }) => ({ hash: data.hash }),
  retention: 'inline',
};

export function commandOf(commandId: string): StreamRef<{ readonly hash: string }, CommandAccepted> {
  return streamOf(commands, commandId);
}

/** True if another payload came under this key. */
export function isReused(desk: Desk, { id, hash }: CommandIdentity): boolean {
  const command = commandOf(id);
  return desk.version(command) > 0 && desk.state(command).hash !== hash;
}

/** Remembers the payload of the key, in the transaction that does the work. */
export function remember(desk: Desk, { id, hash }: CommandIdentity): void {
  const command = commandOf(id);
  if (desk.version(command) === 0) desk.append(command, { type: 'command.accepted', data: { hash } });
}
