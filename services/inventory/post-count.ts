// Posts the differences of a stocktake. Never refused for stock: what is promised to orders stays on record until they are
// settled, and the line tells how much was not posted for that (decision 0017).
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import { stateOfVersion } from '#kit/events/past';
import type { Streams } from '#kit/events/streams';
import type { FieldError } from '#kit/http/problem';
import { idOf } from '#kit/ids';
import {
  type CountEvent,
  type CountedLine,
  type CountLine,
  type CountState,
  countOf,
  type Difference,
} from './count.ts';
import { basisOf, count, type ItemEvent, itemOf } from './item.ts';
import type { Booked } from './movement.ts';
import { bookSheet, goOnWith, type Sheet } from './sheet.ts';

/** Items that are read at once. */
const AT_ONCE = 32;

export interface Count {
  readonly shopId: string;
  readonly reference: string;
  /** Each sku once. `itemVersion`: the version of the item (its ETag) that the counter saw. */
  readonly lines: readonly {
    readonly sku: string;
    readonly counted: number;
    readonly itemVersion?: number | undefined;
  }[];
}

/**
 * Posts the differences and answers them. Refuses with VALIDATION_FAILED for a version that an item never had,
 * REFERENCE_BOOKED or IDEMPOTENCY_KEY_REUSED. @throws {Fault} repeat it.
 */
export async function postCount(
  streams: Streams,
  { shopId, reference, lines }: Count,
  command: CommandIdentity,
  origin: Origin,
): Promise<(Booked & { readonly lines: readonly CountedLine[] }) | Refusal> {
  const based = await basedLines(streams, shopId, lines);
  if (isRefusal(based)) return based;
  const sheet = sheetOf(shopId, reference, based);
  const booked = await bookSheet(streams, sheet, command, origin);
  if (isRefusal(booked)) return booked;
  const document = await streams.read(sheet.cause);
  return { ...booked, lines: document?.state.differences ?? [] };
}

/** The lines with the record as their counters saw it. What an item was at a version never changes. */
async function basedLines(
  streams: Streams,
  shopId: string,
  lines: Count['lines'],
): Promise<readonly CountLine[] | Refusal> {
  const based: CountLine[] = [];
  const errors: FieldError[] = [];
  for (let start = 0; start < lines.length; start += AT_ONCE) {
    const some = lines.slice(start, start + AT_ONCE);
    const seen = await Promise.all(
      some.map(async ({ sku, itemVersion }) => {
        return itemVersion === undefined ? undefined : stateOfVersion(streams, itemOf(shopId, sku), itemVersion);
      }),
    );
    for (const [n, { sku, counted, itemVersion }] of some.entries()) {
      const item = seen[n];
      if (item) based.push({ sku, quantity: counted, basis: basisOf(item) });
      else if (itemVersion === undefined) based.push({ sku, quantity: counted });
      else errors.push({ pointer: `/lines/${start + n}/itemVersion`, detail: 'The item never had this version' });
    }
  }
  return errors.length > 0 ? refuse('VALIDATION_FAILED', { errors: errors.slice(0, 50) }) : based;
}

/** Goes on with a count that was opened and not posted. */
export async function finishCount(streams: Streams, shopId: string, reference: string, origin: Origin): Promise<void> {
  const state = (await streams.read(countOf(shopId, reference)))?.state;
  if (state?.status !== 'opened') return;
  const command = { id: idOf('sweep', 'count', shopId, reference), hash: state.hash };
  await goOnWith(streams, sheetOf(shopId, reference, state.lines), command, origin);
}

function sheetOf(
  shopId: string,
  reference: string,
  lines: readonly CountLine[],
): Sheet<CountState, CountEvent, CountLine, Difference & { readonly quantity: number }> {
  const cause = countOf(shopId, reference);
  const id = idOf('count', shopId, reference);
  const head = { countId: id, shopId, reference };
  return {
    ...{ cause, step: 'count', id, shopId, lines, change: count },
    tell: (_, events) => differenceOf(events),
    opened: (hash) => ({ type: 'count.opened', data: { ...head, hash, lines } }),
    booked: (desk, hash, counted) =>
      desk.append(cause, { type: 'stock.counted', data: { ...head, hash, lines: counted } }),
  };
}

function differenceOf(events: readonly ItemEvent[]): Difference & { readonly quantity: number } {
  const event = events.find((each) => each.type === 'item.counted');
  if (!event) throw new Error('a count always counts');
  const { quantity, expected, counted } = event.data;
  return { quantity, expected, counted, unposted: expected + quantity - counted };
}
