// A sheet of lines that a client books under a reference: all lines or none, once, in one transaction when it fits and in
// chunks when it does not (decision 0008). Corrections, write-offs, counts and both ends of a transfer are such sheets.
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { DomainEvent, Origin, StreamRef } from '#kit/events/aggregate';
import type { CommandIdentity, Desk } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import type { Touch } from '#kit/events/working-set';
import { CHUNK, type ChunkedChange, changeChunk, touchChunk } from './chunks.ts';
import { commandOf, isReused, remember } from './command.ts';
import type { StockLow } from './low-stock.ts';
import type { Booked } from './movement.ts';
import type { ChangedLine, Line, Shortage } from './reservation.ts';

/** Lines of one sheet: its document holds them all. */
export const MOST_LINES = 1_000;

/** What the state of a sheet's stream tells about it. A refused one may be booked again; `none` of these: it is booked. */
export interface SheetState {
  readonly status: string;
  /** Of what was sent under the reference. */
  readonly hash: string;
}

/** `L`: its lines. `T`: what a booked line tells beside the item's values. */
export interface Sheet<S extends SheetState, E extends DomainEvent, L extends Line = Line, T extends object = object>
  extends Pick<
    ChunkedChange<S, E | StockLow, L, T>,
    'cause' | 'step' | 'shopId' | 'lines' | 'change' | 'undo' | 'tell'
  > {
  readonly id: string;
  /** Further streams that {@link Sheet.booked} appends to. */
  readonly beside?: readonly StreamRef[];
  /** Keeps the lines of a sheet that takes more than one transaction. */
  opened(hash: string): E;
  /** Appends what is published of it, in the transaction of the last lines. */
  booked(desk: Desk, hash: string, lines: readonly (ChangedLine & T)[]): void;
  /** Absent: nothing can refuse it. */
  readonly refused?: (shortages: readonly Shortage[]) => E;
}

/**
 * Books a sheet. Refuses with STOCK_INSUFFICIENT `{shortages}` when a line would take more than is available,
 * REFERENCE_BOOKED or IDEMPOTENCY_KEY_REUSED. A refused reference may be used again. @throws {Fault} repeat it.
 */
export async function bookSheet<S extends SheetState, E extends DomainEvent, L extends Line, T extends object>(
  streams: Streams,
  sheet: Sheet<S, E, L, T>,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  const { cause, id, lines } = sheet;
  let replayed = false;
  const accepted = await streams.execute({
    touch: [cause, commandOf(command.id)],
    origin,
    decide(desk): Refusal | undefined {
      if (isReused(desk, command)) return refuse('IDEMPOTENCY_KEY_REUSED');
      const known = desk.state(cause);
      replayed = isBooked(known);
      if (replayed || known.status === 'opened') {
        return known.hash === command.hash ? undefined : refuse('REFERENCE_BOOKED');
      }
      if (lines.length <= CHUNK) return undefined; // one transaction will do: nothing is opened
      desk.append(cause, sheet.opened(command.hash));
      remember(desk, command);
      return undefined;
    },
  });
  if (isRefusal(accepted)) return accepted;
  if (replayed) return { id, replayed };
  const refusal = await goOnWith(streams, sheet, command, origin);
  return refusal ?? { id, replayed };
}

/** Books what is left of a sheet that was opened. Safe to run twice at once: every chunk is guarded. */
export async function goOnWith<S extends SheetState, E extends DomainEvent, L extends Line, T extends object>(
  streams: Streams,
  sheet: Sheet<S, E, L, T>,
  command: CommandIdentity,
  origin: Origin,
): Promise<Refusal | undefined> {
  const { cause, step, shopId, lines, change, undo, tell, beside = [] } = sheet;
  const touch: Touch = (peek) => [commandOf(command.id), ...beside, ...touchChunk(cause, shopId, lines)(peek)];
  return streams.execute({
    touch,
    origin,
    decide(desk): Refusal | undefined {
      const known = desk.state(cause);
      if (isBooked(known)) return known.hash === command.hash ? undefined : refuse('REFERENCE_BOOKED');
      const outcome = changeChunk(desk, { cause, step, shopId, lines, change, undo, tell });
      if (outcome.state === 'under way') return undefined;
      if (outcome.state === 'done') {
        sheet.booked(desk, command.hash, outcome.changed);
        remember(desk, command);
      } else if (known.status === 'opened' && sheet.refused) {
        desk.append(cause, sheet.refused(outcome.shortages));
      }
      if (outcome.low.length > 0) desk.append(cause, { type: 'stock.low', data: { shopId, lines: outcome.low } });
      return outcome.state === 'refused' ? refuse('STOCK_INSUFFICIENT', { shortages: outcome.shortages }) : undefined;
    },
  });
}

function isBooked({ status }: SheetState): boolean {
  return status !== 'none' && status !== 'opened' && status !== 'refused';
}

/** Why lines cannot be those of a sheet: TOO_MANY_LINES, or DUPLICATE_LINES, a sku in more than one of them. */
export function checkSheet(lines: readonly { readonly sku: string }[]): Refusal | undefined {
  if (lines.length > MOST_LINES) return refuse('TOO_MANY_LINES', { most: MOST_LINES });
  return new Set(lines.map(({ sku }) => sku)).size < lines.length ? refuse('DUPLICATE_LINES') : undefined;
}
