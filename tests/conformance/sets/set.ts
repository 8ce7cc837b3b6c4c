// What a component set is made of, and how one store or broker differs from another: data that the features assert.
import type { Killable } from '../process.ts';

/** A state store behind the component `statestore`. */
export interface Store {
  /** As the matrix names it. */
  readonly title: string;
  readonly traits: StateTraits;
  /** Starts what keeps the data, if that is a process of its own. */
  open(folder: string): Promise<OpenStore>;
}

export interface OpenStore {
  /** The process that keeps the data; undefined: each app's own sidecar does. */
  readonly server: Killable | undefined;
  /** What the sidecars find in their environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Dapr resources of an app: the component `statestore` and what it needs. */
  resources(appId: string): readonly string[];
  /** Ends the server, after the sidecars. */
  stop(): Promise<void>;
}

/** Where stores differ. Each is asserted as it stands here, so a store that changes fails a test. */
export interface StateTraits {
  /** Status of a first write (no ETag) over a document that was created by a first write. */
  readonly firstWriteOverFirstWrite: 409 | 500;
  /** Status of a first write over a document that was saved without a guard. */
  readonly firstWriteOverPlainSave: 204 | 409 | 500;
  /** Status of a save without a guard over a document that was created by a first write. */
  readonly plainSaveOverFirstWrite: 204 | 500;
  /** Status of an ETag that this store never gives. */
  readonly malformedEtag: 400 | 409;
  /** Status of a save with an ETag where no document is. */
  readonly etagOfAbsent: 204 | 409;
  /** Status of a save with the ETag of another document, which was saved as often. */
  readonly etagOfAnother: 204 | 409;
  /** Status of a save with the ETag that a document had before it was deleted and created again. */
  readonly etagOfFormerLife: 204 | 409;
  /** What a transaction leaves of which one operation is refused. */
  readonly refusedTransaction: 'nothing' | 'the other operations';
  /** Status of a transaction of 101 operations. */
  readonly operations101: 204 | 400;
  /** Two transactions that write the same documents in opposite orders at the same time. */
  readonly oppositeOrders: 'one waits for the other' | 'deadlock';
  /** Status of a transaction whose values are named JSON; Redis then wants its JSON module. */
  readonly jsonInTransaction: 204 | 500;
  /** A stale ETag on a delete within a transaction. */
  readonly etagOnDeleteInTransaction: 'heeded' | 'ignored';
  /** Status of a value of 780 KB. */
  readonly value780: 204 | 500;
  /** Status of a first write where a document's time to live is over and the store has not removed it yet. */
  readonly firstWriteOverExpired: 204 | 500;
  /** The time to live of a document after a save that names none. */
  readonly timeToLiveAfterPlainSave: 'gone' | 'kept';
  /** What is left of acknowledged writes when the process that keeps the data is killed (this is no power cut). */
  readonly afterKill: 'everything' | 'nothing';
  /** As `/v1.0/metadata` lists them. */
  readonly capabilities: readonly string[];
}

/** A Kafka-protocol broker behind the `pubsub-*` components. */
export interface Broker {
  /** As the matrix names it. */
  readonly title: string;
  readonly traits: BrokerTraits;
  /** A broker that keeps its log in the folder and has these topics, three partitions each. Not started yet. */
  open(options: { folder: string; port: number; topics: readonly string[] }): Promise<Killable>;
}

export interface BrokerTraits {
  /** Status of a message for a topic that nobody made. */
  readonly unknownTopic: 204 | 500;
}

/** A store and a broker together, as the kit meets them. */
export interface ComponentSet {
  readonly store: Store;
  readonly broker: Broker;
}

export const titleOf = ({ store, broker }: ComponentSet): string => `${store.title} and ${broker.title}`;
