// What becomes of a confirmed order: it is handed out, and some of it comes back. Clients remember what they were told.
import type { Gateway } from '../client/gateway.ts';
import { ProblemError } from '../client/problem.ts';
import { isFinal, type Order } from '../client/retail.ts';
import type { PlannedOrder } from './orders.ts';
import { type Patience, untilAnswered } from './patience.ts';

export type Condition = 'sellable' | 'damaged';

/** An id that was promised, or the code of the refusal; undefined when nobody ever answered. */
type Told = { readonly id: string } | { readonly refused: string } | undefined;

/** What staff were told of the goods of one order, in order; absent when the order was not confirmed. */
export interface Bags {
  readonly handedOut: Told;
  /** Twice with the same key, at once. */
  readonly returns: readonly [Told, Told] | undefined;
  /** One piece more than was bought. */
  readonly tooMuch: Told;
}

/** The order as staff read it. */
type WithGoods = Order & Record<'fulfilments' | 'returns', readonly { readonly id: string }[] | undefined>;

/** Waits for the order's end, then hands it out and takes its first line back where the plan says so. */
export async function handle(
  staff: Gateway,
  { id, lines: [line] }: Order,
  { key, bringsBack }: PlannedOrder,
  patience: Patience,
): Promise<Bags | undefined> {
  const path = `/api/v1/orders/${id}`;
  const post = async (what: string, body: unknown, name: string): Promise<Told> => {
    const answer = await untilAnswered<{ id: string }>(
      staff,
      { path: `${path}/${what}`, body, key: `${key}-${name}` },
      patience,
    );
    return answer instanceof ProblemError ? { refused: String(answer.code ?? answer.status) } : answer;
  };
  const deadline = Date.now() + patience.milliseconds;
  for (let last: Order | undefined; last?.status !== 'confirmed'; ) {
    const order = await untilAnswered<Order>(staff, { method: 'GET', path, query: { wait: '5' }, key }, patience);
    if (!order || order instanceof ProblemError || order.status === 'cancelled' || Date.now() > deadline) return;
    last = isFinal(order) ? order : undefined;
  }
  const handedOut = await post('fulfilments', {}, 'hand-out');
  if (!bringsBack || !line) return { handedOut, returns: undefined, tooMuch: undefined };
  const bag = (quantity: number) => ({
    lines: [{ sku: line.sku, quantity, condition: bringsBack }],
    reason: 'chaos',
  });
  const returns = await Promise.all([1, 2].map(() => post('returns', bag(line.quantity), 'return')));
  const tooMuch = await post('returns', bag(1), 'too-much');
  return { handedOut, returns: returns as [Told, Told], tooMuch };
}

/** What is wrong with the goods of an order, as its client sees it at the end. `skewed`: refusals may be for a wrong clock. */
export function judgeBags({ handedOut, returns, tooMuch }: Bags, order: Order, skewed: boolean): string[] {
  const { fulfilments = [], returns: booked = [] } = order as WithGoods;
  const wrong: string[] = [];
  const expect = (what: string, told: Told, of: readonly { readonly id: string }[]) => {
    if (!told) wrong.push(`${what} was never answered`);
    else if ('refused' in told) {
      if (!skewed) wrong.push(`${what} was refused with ${told.refused}`);
    } else if (!of.some(({ id }) => id === told.id)) wrong.push(`${what} ${told.id} was acknowledged and is not there`);
  };
  expect('its handing out', handedOut, fulfilments);
  if (!returns) return wrong;
  for (const told of returns) expect('its return', told, booked);
  if (booked.length > 1) wrong.push(`one return was booked ${booked.length} times`);
  if (tooMuch && 'id' in tooMuch) wrong.push('more was taken back than was bought');
  else if (tooMuch?.refused !== 'RETURN_EXCEEDS' && !skewed) {
    wrong.push(`a return of too much was answered with ${tooMuch?.refused ?? 'nothing'}`);
  }
  return wrong;
}
