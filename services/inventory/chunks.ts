// Changing many items for one cause: in chunks that each commit with the cause's progress, resumed after a crash,
// walked back when a later chunk is refused (decision 0008).

import { isRefusal } from '#kit/errors';
import type { Decision, DomainEvent, StreamRef } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import type { StreamDocument } from '#kit/events/document';
import type { Peek, Touch } from '#kit/events/working-set';
import { available, type Item, type ItemEvent, itemOf } from './item.ts';
import type { ChangedLine, Line, Shortage } from './reservation.ts';

/** Items in one transaction: leaves room for the cause, its companions and pages that are sealed along. */
export const CHUNK = 90;

interface Progress {
  /** Which command is under way: another one must not go on with it. */
  readonly step: string;
  /** Index of the next line. */
  readonly next: number;
  readonly changed: readonly ChangedLine[];
  readonly found: readonly Line[];
  /** Set when a line was refused: what was done is being undone, from line 0 up to (not including) this one. */
  readonly back?: { readonly upTo: number; readonly shortages: readonly Shortage[] };
}

type Change = (item: Item, command: Line & { readonly cause: string }) => Decision<ItemEvent>;

export interface ChunkedChange<S, E extends DomainEvent> {
  readonly cause: StreamRef<S, E>;
  readonly step: string;
  readonly shopId: string;
  readonly lines: readonly Line[];
  readonly change: Change;
  /** Undoes {@link change} when a later line is refused. */
  readonly undo?: Change;
}

/** What a chunk led to. `under way`: the desk asks for more. */
export type ChunkOutcome =
  | { readonly state: 'under way' }
  | { readonly state: 'done'; readonly changed: readonly ChangedLine[]; readonly found: readonly Line[] }
  | { readonly state: 'refused'; readonly shortages: readonly Shortage[] };

/** The cause and the items of the chunk that is next. */
export function touchChunk<S, E extends DomainEvent>(
  cause: StreamRef<S, E>,
  shopId: string,
  lines: readonly Line[],
): Touch {
  return (peek: Peek) => {
    const document = peek(cause);
    const { from, to } = nextChunk(progressOf(document), lines.length);
    return [cause, ...lines.slice(from, to).map(({ sku }) => itemOf(shopId, sku))];
  };
}

/** Changes the next chunk of lines. Each line's sku must be there once. */
export function changeChunk<S, E extends DomainEvent>(desk: Desk, work: ChunkedChange<S, E>): ChunkOutcome {
  const { cause, step, shopId, lines } = work;
  const progress = progressOf(desk.document(cause)) ?? { step, next: 0, changed: [], found: [] };
  if (progress.step !== step) throw new Error(`${cause.key} is in the middle of ${progress.step}`);
  if (progress.back) return walkBack(desk, work, progress, progress.back);

  const { from, to } = nextChunk(progress, lines.length);
  const chunk = lines.slice(from, to);
  const decisions = chunk.map(({ sku, quantity }) => {
    const ref = itemOf(shopId, sku);
    return { ref, decision: work.change(desk.state(ref), { sku, quantity, cause: cause.key }) };
  });
  const shortages = decisions.flatMap(({ ref, decision }, n) =>
    isRefusal(decision) ? [shortageOf(chunk[n] as Line, desk.state(ref))] : [],
  );
  if (shortages.length > 0) {
    if (from === 0) return { state: 'refused', shortages };
    desk.setProgress(cause, { ...progress, next: 0, back: { upTo: from, shortages } } satisfies Progress);
    desk.again();
    return { state: 'under way' };
  }

  const found = decisions.flatMap(({ decision }, n) =>
    (decision as readonly ItemEvent[])
      .filter(({ type }) => type === 'item.found')
      .map(({ data }) => ({ sku: (chunk[n] as Line).sku, quantity: data.quantity })),
  );
  for (const { ref, decision } of decisions) desk.append(ref, ...(decision as readonly ItemEvent[]));
  const changed = chunk.map((line) => changedLine(desk, shopId, line));
  const all = { changed: [...progress.changed, ...changed], found: [...progress.found, ...found] };
  if (to < lines.length) {
    desk.setProgress(cause, { step, next: to, ...all } satisfies Progress);
    desk.again();
    return { state: 'under way' };
  }
  desk.setProgress(cause, undefined);
  return { state: 'done', ...all };
}

function walkBack<S, E extends DomainEvent>(
  desk: Desk,
  { cause, shopId, lines, undo }: ChunkedChange<S, E>,
  progress: Progress,
  back: NonNullable<Progress['back']>,
): ChunkOutcome {
  if (!undo) throw new Error(`${cause.key} cannot be walked back`);
  const { from, to } = nextChunk(progress, lines.length);
  for (const { sku, quantity } of lines.slice(from, to)) {
    desk.apply(itemOf(shopId, sku), undo, { sku, quantity, cause: cause.key });
  }
  if (to < back.upTo) {
    desk.setProgress(cause, { ...progress, next: to } satisfies Progress);
    desk.again();
    return { state: 'under way' };
  }
  desk.setProgress(cause, undefined);
  return { state: 'refused', shortages: back.shortages };
}

function nextChunk(progress: Progress | undefined, length: number): { from: number; to: number } {
  const from = progress?.next ?? 0;
  return { from, to: Math.min(from + CHUNK, progress?.back?.upTo ?? length) };
}

function progressOf(document: StreamDocument | undefined): Progress | undefined {
  return document?.progress as Progress | undefined;
}

function shortageOf({ sku, quantity }: Line, item: Item): Shortage {
  return { sku, wanted: quantity, available: available(item) };
}

/** The line with its item's values as they are now. */
export function changedLine(desk: Desk, shopId: string, { sku, quantity }: Line): ChangedLine {
  const ref = itemOf(shopId, sku);
  const { onHand, reserved, sold } = desk.state(ref);
  return { sku, quantity, itemVersion: desk.version(ref), onHand, reserved, sold };
}
