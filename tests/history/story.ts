// Puts what the services tell into one story: causes before effects, each event with when, who, why and what it changed.
import type { Part, Recorded } from './sources.ts';
import { whatChanged } from './what-changed.ts';

/** An event and the service that told it. */
interface Told extends Recorded {
  readonly service: string;
}

/** The lines of a story, and what is missing of it. */
export function storyOf(parts: readonly Part[]): string[] {
  const told = inCausalOrder(parts.flatMap(({ service, events }) => events.map((event) => ({ ...event, service }))));
  const byId = new Map(told.map((event) => [event.id, event]));
  const begun = told[0]?.at;
  return [
    ...told.flatMap((event) => [
      `${event.at}  ${since(begun, event.at)}  ${event.service.padEnd(12)}  ${event.type}`,
      `    by ${event.actor ?? 'somebody whose work is under way'}, ${causeOf(event, byId)}`,
      ...whatChanged(event).map((line) => `    ${line}`),
    ]),
    ...missing(parts),
  ];
}

/** A line for each service that could not be asked. */
export function missing(parts: readonly Part[]): string[] {
  return parts.flatMap(({ service, missing: why }) => (why ? [`MISSING: the part of ${service}, which ${why}`] : []));
}

/**
 * Causes before what follows from them, and each stream in its order; by time where nothing else tells. Clocks of
 * services differ, so time alone would put an effect before its cause.
 */
export function inCausalOrder<E extends Recorded & { readonly service?: string }>(events: readonly E[]): E[] {
  const left = events.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.version - b.version));
  const ids = new Set(left.map(({ id }) => id));
  const ordered: E[] = [];
  while (left.length > 0) {
    const ready = left.findIndex(
      (event) =>
        !(event.causationId !== null && ids.has(event.causationId)) &&
        !left.some((other) => other !== event && isEarlierOf(other, event)),
    );
    // What waits for itself cannot be ordered, only told.
    const [next] = left.splice(Math.max(ready, 0), 1);
    if (!next) break;
    ids.delete(next.id);
    ordered.push(next);
  }
  return ordered;
}

/** True if both are of one stream (its kind begins the type, as far as one story goes) and `other` came first. */
function isEarlierOf<E extends Recorded & { readonly service?: string }>(other: E, event: E): boolean {
  return other.service === event.service && streamOf(other) === streamOf(event) && other.version < event.version;
}

function streamOf({ data }: Recorded): string {
  return String(data.template ?? '');
}

function causeOf(event: Told, byId: ReadonlyMap<string, Told>): string {
  if (event.causationId === null) return 'for a cause that is still under way';
  const cause = byId.get(event.causationId);
  if (cause) return `because of ${cause.type} (${cause.service})`;
  return `because of ${event.causationId}, request ${event.correlationId}`;
}

/** Milliseconds since the story began. */
function since(begun: string | undefined, at: string): string {
  const milliseconds = begun === undefined ? 0 : Date.parse(at) - Date.parse(begun);
  return `${milliseconds < 0 ? '' : '+'}${milliseconds} ms`.padStart(10);
}
