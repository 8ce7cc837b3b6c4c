// Many products in one request: each item stands for itself, many documents share a transaction.
import { isRefusal, type Refusal } from '#kit/errors';
import type { Origin, StreamRef } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import type { Records } from '#kit/events/records';
import { MOST_BYTES } from '#kit/events/working-set';
import type { FieldError } from '#kit/http/problem';
import { check } from '#kit/http/validation';
import { idOf } from '#kit/ids';
import { type ProductDraft, type ProductEvent, type ProductState, put } from './product.ts';
import { type BatchResult, ProductDraft as ProductDraftSchema } from './schemas.ts';

/** Products of a transaction. It takes 98 documents; the rest is room for sealed pages. */
const MOST_PRODUCTS = 90;

interface Item {
  readonly index: number;
  readonly draft: ProductDraft;
}

type Catalogue = Records<ProductState, ProductEvent>;
type Outcome = Omit<BatchResult, 'sku'>;

/**
 * Puts every item into the catalogue, in order where a sku stands twice, and tells of each what became of it. After a
 * fault half-way the same batch can be sent again: what is done is then `unchanged`.
 * @throws {Fault} store out of reach
 */
export async function putBatch(
  catalogue: Catalogue,
  items: readonly unknown[],
  origin: Origin,
): Promise<readonly BatchResult[]> {
  const results: BatchResult[] = [];
  let waiting: Item[] = [];
  for (const [index, item] of items.entries()) {
    const draft = check(ProductDraftSchema, item, 'body');
    if (isRefusal(draft)) results[index] = { sku: skuOf(item), ...refused(draft) };
    else waiting.push({ index, draft: draft.value });
  }
  for (let round = 0; waiting.length > 0; round += 1) {
    const chunk = takeChunk(waiting);
    const outcomes = await putChunk(catalogue, chunk, { ...origin, causationId: idOf(origin.causationId, `${round}`) });
    for (const [{ index, draft }, outcome] of outcomes) results[index] = { sku: draft.sku, ...outcome };
    waiting = waiting.filter((item) => !outcomes.has(item));
  }
  return results;
}

/** The next items, none of a sku that stands there already: its turn comes when the first is done. */
function takeChunk(waiting: readonly Item[]): Item[] {
  const bySku = new Map<string, Item>();
  for (const item of waiting) {
    if (!bySku.has(item.draft.sku)) bySku.set(item.draft.sku, item);
    if (bySku.size === MOST_PRODUCTS) break;
  }
  return [...bySku.values()];
}

/** Puts what fits into one transaction. Items without an outcome have to come again. */
async function putChunk(catalogue: Catalogue, chunk: readonly Item[], origin: Origin): Promise<Map<Item, Outcome>> {
  const outcomes = await catalogue.streams.execute({
    touch: chunk.map(({ draft }) => catalogue.of(draft.sku)),
    origin,
    decide: (desk) => decideChunk(catalogue, chunk, desk),
  });
  const idle = [...outcomes].filter(([, { outcome }]) => outcome === 'unchanged' || outcome === 'refused');
  // A transaction guards what it writes. What it leaves as it is rests on a bulk read, which some stores answer stale;
  // only when nothing at all was written has `execute` made sure.
  if (idle.length === outcomes.size) return outcomes;
  await Promise.all(
    idle.map(async ([item]) => {
      const stored = await catalogue.read(item.draft.sku);
      const decision = put(stored?.state ?? null, item.draft);
      if (!isRefusal(decision) && decision.length > 0) outcomes.delete(item);
    }),
  );
  return outcomes;
}

function decideChunk(catalogue: Catalogue, chunk: readonly Item[], desk: Desk): Map<Item, Outcome> {
  const outcomes = new Map<Item, Outcome>();
  let bytes = 0;
  for (const item of chunk) {
    const ref = catalogue.of(item.draft.sku);
    bytes += sizeOf(desk.document(ref)) + 2 * sizeOf(item.draft);
    if (bytes > MOST_BYTES && outcomes.size > 0) break;
    outcomes.set(item, decideItem(ref, item.draft, desk));
  }
  return outcomes;
}

function decideItem(ref: StreamRef<ProductState, ProductEvent>, draft: ProductDraft, desk: Desk): Outcome {
  const refusal = desk.wrote(ref) === undefined ? desk.apply(ref, put, draft) : undefined;
  if (refusal) return refused(refusal);
  const version = desk.wrote(ref);
  if (version === undefined) return { outcome: 'unchanged' };
  return { outcome: version === 1 ? 'created' : 'updated' };
}

function refused({ refused: code, detail }: Refusal): Outcome {
  const errors = (detail?.errors ?? []) as readonly FieldError[];
  const text = errors.length > 0 ? errors.map((error) => `${error.pointer}: ${error.detail}`).join('; ') : detail?.text;
  return typeof text === 'string' ? { outcome: 'refused', code, detail: text } : { outcome: 'refused', code };
}

function skuOf(item: unknown): string {
  const sku = (item as { sku?: unknown } | null)?.sku;
  return typeof sku === 'string' ? sku : '';
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
