// Card tokens between "order accepted" and "money moved": under a key of their own, for a day at most, never in an event.
import type { Sidecar, Stored } from '#kit/dapr/sidecar';
import { Together } from '#kit/together';

const DAY = 86_400;

interface Card {
  readonly token: string;
}

export interface PreparedCards {
  /** Keeps each token; the last one given for an order wins. When it throws, some may be kept and others not. */
  keep(cards: readonly { readonly orderId: string; readonly token: string }[]): Promise<void>;
  find(orderId: string): Promise<string | undefined>;
}

/** Key of the token; it is removed in the transaction that knows the outcome. */
export function preparedKey(orderId: string): string {
  return `prepared:${orderId}`;
}

export function preparedCards(sidecar: Sidecar, store: string): PreparedCards {
  const finds = new Together<string, string | undefined>(async (keys) => {
    // A bulk read is only a hint (DynamoDB): whoever is missing in it is read by itself.
    const found = keys.length > 1 ? await sidecar.getBulk<Card>(store, keys) : new Map<string, Stored<Card>>();
    return keys.map(async (key) => (found.get(key) ?? (await sidecar.get<Card>(store, key)))?.value.token);
  });
  return {
    keep(cards) {
      const last = new Map(cards.map(({ orderId, token }) => [preparedKey(orderId), { token } satisfies Card]));
      // One write per key: a store may refuse the whole call for a key that comes twice.
      const documents = [...last].map(([key, value]) => ({ key, value }));
      return sidecar.saveEach(store, documents, { ttlSeconds: DAY });
    },
    find: (orderId) => finds.add(preparedKey(orderId)),
  };
}
