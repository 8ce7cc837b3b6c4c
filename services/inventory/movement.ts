// What a client books beside orders: goods that came in, or a correction of the record.
import type { Line } from './reservation.ts';

export interface Movement {
  readonly shopId: string;
  /** The client's own name for it, once per shop and kind. */
  readonly reference: string;
  readonly reason?: string | undefined;
  /** Quantities in units; those of a correction are signed. */
  readonly lines: readonly Line[];
}

/** `replayed`: the reference was known with this body. */
export interface Booked {
  readonly id: string;
  readonly replayed: boolean;
}
