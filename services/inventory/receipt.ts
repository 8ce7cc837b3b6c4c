// A delivery that was booked in: one reference per shop, kept in parts of 1,000 lines. Pure.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { keyPart } from '#kit/ids';
import type { ChangedLine, Line } from './reservation.ts';

/** Lines in one part; each part is published by an event of its own. */
export const PART_LINES = 1_000;

export interface Receipt {
  readonly status: 'none' | 'opened' | 'booked';
  readonly receiptId: string;
  readonly shopId: string;
  readonly reference: string;
  /** Hash of what was sent under the reference. */
  readonly hash: string;
  readonly parts: number;
  readonly lines: number;
  readonly units: number;
  /** Of the unit costs, if any were told. */
  readonly currency?: string;
}

type Totals = Omit<Receipt, 'status'>;

export type ReceiptEvent =
  | EventOf<'receipt.opened', Totals & { readonly reason: string }>
  | EventOf<'receipt.booked', Omit<Totals, 'hash' | 'parts' | 'currency'>>;

const none: Receipt = {
  status: 'none',
  receiptId: '',
  shopId: '',
  reference: '',
  hash: '',
  parts: 0,
  lines: 0,
  units: 0,
};

export const receipts: StreamKind<Receipt, ReceiptEvent> = {
  name: 'receipt',
  initial: none,
  evolve(receipt, { type, data }) {
    if (type === 'receipt.booked') return { ...receipt, status: 'booked' };
    const { reason: _, ...totals } = data;
    return { status: 'opened', ...totals };
  },
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

export function receiptOf(shopId: string, reference: string): StreamRef<Receipt, ReceiptEvent> {
  return streamOf(receipts, `${keyPart(shopId)}:${keyPart(reference)}`);
}

export interface ReceiptPart {
  readonly done: boolean;
  readonly shopId: string;
}

/** What a unit had cost, minor units; absent: nobody told. */
export interface Cost {
  readonly unitCost?: number;
}

export type PartEvent = EventOf<
  'stock.received',
  {
    readonly receiptId: string;
    readonly shopId: string;
    readonly reference: string;
    readonly part: number;
    readonly currency?: string;
    readonly lines: readonly (ChangedLine & Cost)[];
  }
>;

export const receiptParts: StreamKind<ReceiptPart, PartEvent> = {
  name: 'receipt-part',
  initial: { done: false, shopId: '' },
  evolve: (_, { data: { shopId } }) => ({ done: true, shopId }),
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

export function receiptPartOf({ id }: StreamRef, part: number): StreamRef<ReceiptPart, PartEvent> {
  return streamOf(receiptParts, `${id}:${part}`);
}

/** Key of the immutable document with a part's lines. */
export function partLinesKey({ key }: StreamRef, part: number): string {
  return `${key}:lines:${part}`;
}

/** The lines cut into parts, each with every sku at most once: a sku named again goes to a later part. */
export function partsOf<L extends Line>(lines: readonly L[]): L[][] {
  const parts: L[][] = [];
  const nextPartOfSku = new Map<string, number>();
  let firstOpen = 0;
  for (const line of lines) {
    let index = Math.max(firstOpen, nextPartOfSku.get(line.sku) ?? 0);
    while ((parts[index]?.length ?? 0) >= PART_LINES) index += 1;
    while (parts.length <= index) parts.push([]);
    parts[index]?.push(line);
    nextPartOfSku.set(line.sku, index + 1);
    while ((parts[firstOpen]?.length ?? 0) >= PART_LINES) firstOpen += 1;
  }
  return parts;
}
