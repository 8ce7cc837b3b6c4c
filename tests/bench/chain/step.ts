// The words that the table of the bare chain is written in.

/** Bytes of a JSON body: some by itself, and more with each line of the order. */
export type Size = readonly [fixed: number, perLine: number];

/** A document of a store. A name that ends in `*` is one for each line. Sizes by version; the last one stays. */
export type DocumentName =
  | 'order'
  | 'reservation'
  | 'item*'
  | 'payment'
  | 'prepared'
  | 'ledger'
  | 'product*'
  | 'notification'
  | 'account';

/** What an app asks of its sidecar, for one order (a route, a worker) or for a batch of them (a delivery). */
export type Step =
  | { readonly call: string; readonly path: string }
  /** Single strong reads. */
  | { readonly get: readonly DocumentName[] }
  /** One bulk read of what is not read yet; a single document is read alone, as our kit does before it writes. */
  | { readonly load: readonly DocumentName[] }
  /** One bulk read, also of a single document. */
  | { readonly bulk: readonly DocumentName[] }
  | Save
  /** One call that saves without a guard what is kept for a day. */
  | { readonly keep: DocumentName }
  /** Through the bulk API; what comes while a call is under way goes with the next. */
  | { readonly publish: string; readonly type?: string }
  | { readonly exec: string }
  | { readonly query: string; readonly rows: number }
  /** Later, at most once in so many milliseconds. */
  | { readonly later: readonly Step[]; readonly after: number }
  /** After the answer, order by order, eight at once unless told. */
  | { readonly work: readonly Step[]; readonly atOnce?: number }
  | Together
  /** For as many orders of a batch at once as one transaction takes, one group after another. */
  | { readonly folded: readonly Step[]; readonly of: readonly DocumentName[] }
  /** Holds the answer back until `confirm` came for the order. */
  | { readonly wait: true }
  | { readonly confirm: true }
  /** The card provider, through the sidecar's HTTP endpoint. */
  | { readonly provider: string }
  | { readonly mail: string };

/** One transaction, guarded by ETags; what was not read must not be there. */
export interface Save {
  readonly save: readonly DocumentName[];
  readonly drop?: readonly DocumentName[];
  /** One more document, written along; its ETag is read ahead with that of others. */
  readonly lane?: true;
  /** Read before, as by the step of this name, at the same time as the lane. */
  readonly load?: readonly DocumentName[];
}

/** Done once for all orders that come close together: gathered by the very scheduler of our kit, with its defaults. */
export interface Together {
  readonly together: readonly Step[];
  /** Orders in one go. */
  readonly most?: number;
  /** Milliseconds that a go waits for company. */
  readonly linger?: number;
  /** A go takes a turn also with one order alone, as ours does where it answers for all of them at once. */
  readonly inTurn?: true;
}

export interface Hears {
  readonly pubsub: 'pubsub-saga' | 'pubsub-views' | 'pubsub-effects';
  readonly topic: string;
  readonly most: number;
  /** Milliseconds. */
  readonly await: number;
  /** The types that mean something here, and the type that is published for each, if any; others are acknowledged. */
  readonly on: Readonly<Record<string, string>>;
  /** Only orders with a mail to be sent. */
  readonly only?: 'mail';
  readonly steps: readonly Step[];
}

export interface Role {
  /** `POST /path`. */
  readonly routes?: Readonly<Record<string, readonly Step[]>>;
  readonly hears?: readonly Hears[];
}

export interface Shape {
  readonly roles: Readonly<Record<string, Role>>;
  readonly documents: Readonly<Record<DocumentName, readonly Size[]>>;
  /** Data of an event, by type. */
  readonly events: Readonly<Record<string, Size>>;
}
