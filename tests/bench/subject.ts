// What is measured: our system or the bare chain, as a running mesh and the ways to use it.
import type { Mesh } from '../../stack/mesh.ts';
import type { Gateway } from '../client/gateway.ts';
import type { Operation } from './load.ts';
import type { QuestionName } from './questions.ts';

export interface Subject {
  readonly name: 'ours' | 'chain';
  readonly mesh: Mesh;
  /** The operation of a line. Brings in first what it needs beyond the goods of every line. */
  operation(line: LineName): Promise<Operation>;
  /** Questions to read models, of a subject that has some, and who may have them built anew. */
  readonly questions?: Readonly<Record<QuestionName, Operation>>;
  readonly staff?: Gateway;
  /** Brings in the whole catalogue of the data, 11,281 products, if the subject has a catalogue. */
  fillCatalogue(): Promise<void>;
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
  'mail',
  'order-read',
  'product-list',
  'stock-read',
  'replay',
] as const;
export type LineName = (typeof lineNames)[number];
