// Card tokens between "order accepted" and "money moved": under a key of their own, for a day at most, never in an event.
import type { Sidecar } from '#kit/dapr/sidecar';

const DAY = 86_400;

export interface PreparedCards {
  /** Keeps the token; the last one given for an order wins. */
  keep(orderId: string, token: string): Promise<void>;
  find(orderId: string): Promise<string | undefined>;
}

/** Key of the token; it is removed in the transaction that knows the outcome. */
export function preparedKey(orderId: string): string {
  return `prepared:${orderId}`;
}

export function preparedCards(sidecar: Sidecar, store: string): PreparedCards {
  return {
    keep: (orderId, token) => sidecar.save(store, preparedKey(orderId), { token }, 'any', { ttlSeconds: DAY }),
    find: async (orderId) => (await sidecar.get<{ token: string }>(store, preparedKey(orderId)))?.value.token,
  };
}
