// What is measured: our system or the bare chain, as a running mesh and the ways to use it.
import type { Mesh } from '../../stack/mesh.ts';
import type { Operation } from './load.ts';

export interface Subject {
  readonly name: 'ours' | 'chain';
  readonly mesh: Mesh;
  /** The operation of a line, or undefined if this subject has none. */
  operation(line: LineName): Operation | undefined;
  /** Ends its clients; the mesh is whose who started it. */
  close(): Promise<void>;
}

/** What is stood in for: printed beside, and no part of the cost. */
export const besides: ReadonlySet<string> = new Set(['card-provider', 'mail']);

export const lineNames = [
  'checkout-1',
  'checkout-5',
  'checkout-30',
  'hot-sku',
  'web-1',
  'order-read',
  'product-list',
  'stock-read',
] as const;
export type LineName = (typeof lineNames)[number];

/** Lines of an order, by line of the bench. */
export const linesOf: Partial<Record<LineName, number>> = {
  'checkout-1': 1,
  'checkout-5': 5,
  'checkout-30': 30,
  'hot-sku': 1,
  'web-1': 1,
};
