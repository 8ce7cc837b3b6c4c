// What a client books beside orders: goods that came in, or a correction of the record.
import type { Line } from './reservation.ts';

/** `unitCost`: what a unit of goods that came in had cost, minor units. */
export interface MovementLine extends Line {
  readonly unitCost?: number | undefined;
}

export interface Movement {
  readonly shopId: string;
  /** The client's own name for it, once per shop and kind. */
  readonly reference: string;
  readonly reason?: string | undefined;
  /** Quantities in units; those of a correction are signed. */
  readonly lines: readonly MovementLine[];
  /** Of the unit costs. */
  readonly currency?: string | undefined;
}

/** `replayed`: the reference was known with this body. */
export interface Booked {
  readonly id: string;
  readonly replayed: boolean;
}
