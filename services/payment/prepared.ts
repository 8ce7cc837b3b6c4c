// Card tokens between "order accepted" and "money moved": under a key of their own, for a day at most, never in an event.
import type { Sidecar } from '#kit/dapr/sidecar';

const DAY = 86_400;

export interface PreparedCards {
  /** Keeps the token; the last one given for an order wins. */
  keep(orderId: string, token: string): Promise<void>;
  find(orderId: string): Promise<string | undefined>;
  /** The outcome is known: the token is not needed any more. */
  forget(orderId: string): Promise<void>;
}

export function preparedCards(sidecar: Sidecar, store: string): PreparedCards {
  const keyOf = (orderId: string) => `prepared:${orderId}`;
  return {
    keep: (orderId, token) => sidecar.save(store, keyOf(orderId), { token }, 'any', { ttlSeconds: DAY }),
    find: async (orderId) => (await sidecar.get<{ token: string }>(store, keyOf(orderId)))?.value.token,
    forget: (orderId) => sidecar.delete(store, keyOf(orderId)),
  };
}
