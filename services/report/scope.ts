// Which shops a caller's question covers.
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { Caller } from '#kit/http/api';
import type { Permission } from '#kit/http/permissions';

export interface Days {
  readonly from: string;
  readonly to: string;
}

/** The shops in which a caller holds the permission; none named: all of them. Refuses with FORBIDDEN. */
export function shopsOf(caller: Caller, permission: Permission): { readonly shops?: readonly string[] } | Refusal {
  const shops = caller.shopsWhere(permission);
  if (shops === 'everywhere') return {};
  return shops.length > 0 ? { shops } : refuse('FORBIDDEN');
}

/** The days of a question and the shops that `report:read` covers. Refuses with RANGE_INVALID or FORBIDDEN. */
export function rangeOf({ from, to }: Days, caller: Caller): (Days & { shops?: readonly string[] }) | Refusal {
  if (to < from) return refuse('RANGE_INVALID', { from, to });
  const shops = shopsOf(caller, 'report:read');
  return isRefusal(shops) ? shops : { from, to, ...shops };
}
