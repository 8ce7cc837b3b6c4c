// How a resource tells its history: `GET .../events`, page by page, and the resource `?at=` an instant.
import { z } from 'zod';
import { type Refusal, refuse } from '../errors.ts';
import { type Answer, type Caller, ok } from '../http/api.ts';
import { page, paged, pageOf } from '../http/paging.ts';
import { Instant } from '../time.ts';
import type { DomainEvent, StreamRef } from './aggregate.ts';
import { eventId, type StoredEvent } from './document.ts';
import { asOf, eventsAfter } from './past.ts';
import type { Streams } from './streams.ts';

/** Whose events are told. `P`: the parameters of the path. */
export interface EventsOf<P, S, E extends DomainEvent> {
  /** The stream; undefined if the path names nothing. */
  stream(params: P): StreamRef<S, E> | undefined;
  /** The shop whose auditors may see it, `*`: only those of every shop; without it every auditor may. */
  shopOf?(state: S, params: P): string;
  /** Fills in who did it and why, where the events leave that to the documents of their causes. */
  explain?(events: readonly StoredEvent[]): Promise<readonly StoredEvent[]>;
}

/** The same of a resource that can also be shown as it was. `V`: what clients see of it. */
export interface HistoryOf<P, S, E extends DomainEvent, V> extends EventsOf<P, S, E> {
  view(state: S, version: number, params: P): V;
}

/** The query parameter `at`. */
export const At = Instant.optional().meta({
  description: 'As it was recorded at this instant (ISO 8601 in UTC); needs `audit:read`. 404 before its first event.',
});

const Word = z.string().nullable().meta({ description: 'Null: its cause is still under way' });
const RecordedEvent = z
  .strictObject({
    id: z.uuid(),
    version: z.int().min(1),
    type: z.string(),
    schemaVersion: z.int().min(1),
    at: Instant.meta({ description: 'When it was recorded' }),
    actor: Word,
    correlationId: Word,
    causationId: Word,
    data: z.unknown(),
  })
  .meta({ id: 'RecordedEvent', description: 'A change, who made it, and what it follows from' });

const eventsRoute = {
  summary: 'Every change of it, oldest first',
  access: { can: 'audit:read' },
  query: z.strictObject(paged(z.int().min(0))),
  answers: { 200: pageOf(RecordedEvent) },
  refusals: ['NOT_FOUND'],
} as const;

interface Asking<P> {
  readonly params: P;
  readonly caller: Caller | undefined;
}

interface EventsCall<P> extends Asking<P> {
  readonly query: { readonly limit: number; readonly cursor?: number | undefined };
  readonly url: string;
}

/** Specification and handler of a route that tells events: `.get('/:id/events', ...eventsOf(streams, { ... }))`. */
export function eventsOf<P, S, E extends DomainEvent>(streams: Streams, of: EventsOf<P, S, E>) {
  async function events(call: EventsCall<P>) {
    const { limit, cursor = 0 } = call.query;
    const ref = of.stream(call.params);
    const document = ref && (await streams.read(ref));
    if (!document || !maySee(call, of, document.state)) return refuse('NOT_FOUND');
    const found = await eventsAfter(streams, document, cursor, limit);
    const explained = (await of.explain?.(found)) ?? found;
    const last = cursor + found.length;
    const items = explained.map((event) => viewOf(ref.key, event));
    return page(call, items, last < document.version ? last : undefined);
  }
  return [eventsRoute, events] as const;
}

/**
 * Both ways to ask. `events`: as {@link eventsOf}. `at`: what the resource's own route answers when its query has
 * `at: At`.
 */
export function historyOf<P, S, E extends DomainEvent, V>(streams: Streams, of: HistoryOf<P, S, E, V>) {
  async function at(call: Asking<P>, instant: string): Promise<Answer<V> | Refusal> {
    const { params, caller } = call;
    if (!caller) return refuse('UNAUTHENTICATED');
    if (!caller.may('audit:read')) return refuse('FORBIDDEN');
    const ref = of.stream(params);
    const then = ref && (await asOf(streams, ref, instant));
    if (!then || !maySee(call, of, then.state)) return refuse('NOT_FOUND');
    return ok(of.view(then.state, then.version, params), { version: then.version });
  }
  return { events: eventsOf(streams, of), at };
}

function maySee<P, S, E extends DomainEvent>({ params, caller }: Asking<P>, of: EventsOf<P, S, E>, state: S): boolean {
  return caller?.may('audit:read', of.shopOf?.(state, params)) ?? false;
}

function viewOf(key: string, event: StoredEvent): z.output<typeof RecordedEvent> {
  return {
    id: event.id ?? eventId(key, event.version),
    version: event.version,
    type: event.type,
    schemaVersion: event.schemaVersion ?? 1,
    at: event.at,
    actor: event.actor ?? null,
    correlationId: event.correlationId ?? null,
    causationId: event.causationId ?? null,
    data: event.data,
  };
}
