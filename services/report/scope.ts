// Which shops a caller's question covers.
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { Caller } from '#kit/http/api';

export interface Days {
  readonly from: string;
  readonly to: string;
}

/** The shops whose figures a caller may see; none named: all of them. */
export function shopsOf({ shops }: Caller): { readonly shops?: readonly string[] } | Refusal {
  if (shops.includes('*')) return {};
  return shops.length > 0 ? { shops } : refuse('FORBIDDEN');
}

/** The days of a question and the shops that it covers. Refuses with RANGE_INVALID or FORBIDDEN. */
export function rangeOf({ from, to }: Days, caller: Caller): (Days & { shops?: readonly string[] }) | Refusal {
  if (to < from) return refuse('RANGE_INVALID', { from, to });
  const shops = shopsOf(caller);
  return isRefusal(shops) ? shops : { from, to, ...shops };
}
