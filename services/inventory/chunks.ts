// Changing many items for one cause: in chunks that each commit with the cause's progress, resumed after a crash,
// walked back when a later chunk is refused (decision 0008).

import { isRefusal } from '#kit/errors';
import type { Decision, DomainEvent, StreamRef } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import type { StreamDocument } from '#kit/events/document';
import type { Peek, Touch } from '#kit/events/working-set';
import { available, becameLow, type Item, type ItemEvent, itemOf } from './item.ts';
import { type LowLine, lowLine } from './low-stock.ts';
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
  /** Absent in what an earlier release left behind. */
  readonly low?: readonly LowLine[];
  /** Set when a line was refused: what was done is being undone, from line 0 up to (not including) this one. */
  readonly back?: { readonly upTo: number; readonly shortages: readonly Shortage[] };
}

type Change<L extends Line> = (item: Item, command: L & { readonly cause: string }) => Decision<ItemEvent>;

/** `L`: the lines. `T`: what their changed lines tell beside the item's values. */
export interface ChunkedChange<S, E extends DomainEvent, L extends Line = Line, T extends object = object> {
  readonly cause: StreamRef<S, E>;
  readonly step: string;
  readonly shopId: string;
  readonly lines: readonly L[];
  readonly change: Change<L>;
  /** Undoes {@link change} when a later line is refused. */
  readonly undo?: Change<L> | undefined;
  readonly tell?: ((line: L, events: readonly ItemEvent[]) => T) | undefined;
}

/** What a chunk led to. `under way`: the desk asks for more. `low`: what became low on the way, walked back or not. */
export type ChunkOutcome<T extends object = object> =
  | { readonly state: 'under way' }
  | {
      readonly state: 'done';
      readonly changed: readonly (ChangedLine & T)[];
      readonly found: readonly Line[];
      readonly low: readonly LowLine[];
    }
  | { readonly state: 'refused'; readonly shortages: readonly Shortage[]; readonly low: readonly LowLine[] };

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
export function changeChunk<S, E extends DomainEvent, L extends Line = Line, T extends object = object>(
  desk: Desk,
  work: ChunkedChange<S, E, L, T>,
): ChunkOutcome<T> {
  const { cause, step, shopId, lines } = work;
  const progress: Progress = progressOf(desk.document(cause)) ?? { step, next: 0, changed: [], found: [] };
  if (progress.step !== step) throw new Error(`${cause.key} is in the middle of ${progress.step}`);
  if (progress.back) return walkBack(desk, work, progress, progress.back);

  const { from, to } = nextChunk(progress, lines.length);
  const chunk = lines.slice(from, to);
  const decisions = chunk.map((line) => {
    const ref = itemOf(shopId, line.sku);
    const before = desk.state(ref);
    return { ref, before, decision: work.change(before, { ...line, cause: cause.key }) };
  });
  const shortages = decisions.flatMap(({ ref, decision }, n) =>
    isRefusal(decision) ? [shortageOf(chunk[n] as Line, desk.state(ref))] : [],
  );
  if (shortages.length > 0) {
    if (from === 0) return { state: 'refused', shortages, low: [] };
    desk.setProgress(cause, { ...progress, next: 0, back: { upTo: from, shortages } } satisfies Progress);
    desk.again();
    return { state: 'under way' };
  }

  const found = decisions.flatMap(({ decision }, n) =>
    (decision as readonly ItemEvent[]).flatMap(({ type, data }) =>
      type === 'item.found' ? [{ sku: (chunk[n] as Line).sku, quantity: data.quantity }] : [],
    ),
  );
  for (const { ref, decision } of decisions) desk.append(ref, ...(decision as readonly ItemEvent[]));
  const changed = chunk.map((line, n) => ({
    ...changedLine(desk, shopId, line),
    ...work.tell?.(line, decisions[n]?.decision as readonly ItemEvent[]),
  }));
  const low = decisions.flatMap(({ ref, before }, n) =>
    becameLow(before, desk.state(ref)) ? [lowLine((chunk[n] as Line).sku, desk.state(ref))] : [],
  );
  const all = {
    changed: [...progress.changed, ...changed],
    found: [...progress.found, ...found],
    low: [...(progress.low ?? []), ...low],
  };
  if (to < lines.length) {
    desk.setProgress(cause, { step, next: to, ...all } satisfies Progress);
    desk.again();
    return { state: 'under way' };
  }
  desk.setProgress(cause, undefined);
  // Lines of earlier chunks come from the progress, as this same work told them.
  return { state: 'done', ...all, changed: all.changed as readonly unknown[] as readonly (ChangedLine & T)[] };
}

function walkBack<S, E extends DomainEvent, L extends Line, T extends object>(
  desk: Desk,
  { cause, shopId, lines, undo }: ChunkedChange<S, E, L, T>,
  progress: Progress,
  back: NonNullable<Progress['back']>,
): ChunkOutcome<T> {
  if (!undo) throw new Error(`${cause.key} cannot be walked back`);
  const { from, to } = nextChunk(progress, lines.length);
  for (const line of lines.slice(from, to)) {
    desk.apply(itemOf(shopId, line.sku), undo, { ...line, cause: cause.key });
  }
  if (to < back.upTo) {
    desk.setProgress(cause, { ...progress, next: to } satisfies Progress);
    desk.again();
    return { state: 'under way' };
  }
  desk.setProgress(cause, undefined);
  return { state: 'refused', shortages: back.shortages, low: progress.low ?? [] };
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
