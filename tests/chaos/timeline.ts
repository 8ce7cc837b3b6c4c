// Everything that is known of one order, in the order of its happening: what a person needs who asks what went wrong.
import type { Attempt } from '../client/gateway.ts';
import type { Evidence } from '../invariants/evidence.ts';
import type { Disturbance } from './coverage.ts';

export interface Witnesses {
  readonly evidence: Evidence;
  readonly attempts: readonly Attempt[];
  readonly disturbances: readonly Disturbance[];
}

interface Moment {
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

/** Streams, ledger, book, faults and the client's calls of an order, a line each, sorted by time. */
export function timelineOf(orderId: string, key: string | undefined, witnesses: Witnesses): string {
  const moments = [
    ...storedMoments(orderId, witnesses.evidence),
    ...bookMoments(orderId, witnesses.evidence),
    ...callMoments(orderId, key, witnesses.attempts),
  ].sort((a, b) => a.at - b.at);
  const [first, last] = [moments[0]?.at ?? 0, moments.at(-1)?.at ?? 0];
  const all = [...moments, ...faultMoments(first, last, witnesses.disturbances)].sort((a, b) => a.at - b.at);
  return [
    `timeline of order ${orderId}`,
    ...all.map(({ at, who, what }) => `  ${new Date(at).toISOString().slice(11, 23)}  ${who.padEnd(13)} ${what}`),
  ].join('\n');
}

function storedMoments(orderId: string, { services, recorded }: Evidence): Moment[] {
  const found: Moment[] = [];
  for (const [appId, { streams }] of services) {
    for (const [key, { document, events }] of streams) {
      // A page of a stock item has events of other orders too.
      const own = events.filter(({ data }) => key.includes(orderId) || JSON.stringify(data).includes(orderId));
      for (const { type, version, at, data } of own) {
        const told = document.topic === undefined || isRecorded(recorded, key, version) ? '' : ', not in the report';
        const { reason, cancellation } = data as { reason?: { code?: string }; cancellation?: { code?: string } };
        const code = reason?.code ?? cancellation?.code;
        found.push({
          at: Date.parse(at),
          who: appId,
          what: `${key}@${version} ${type}${code ? ` (${code})` : ''}${told}`,
        });
      }
    }
  }
  return found;
}

function isRecorded(recorded: Evidence['recorded'], stream: string, version: number): boolean {
  return recorded.some((each) => each.stream === stream && Number(each.version) === version);
}

/** The provider's times are whole seconds. */
function bookMoments(orderId: string, { book }: Evidence): Moment[] {
  return book.intents
    .filter((intent) => intent.orderId === orderId)
    .flatMap(({ id, status, created, amount, captures, refunds, declines }) => [
      { at: created * 1_000, who: 'card-provider', what: `${id} made over ${amount}, is ${status}` },
      ...declines.map((code) => ({ at: created * 1_000, who: 'card-provider', what: `${id} declined: ${code}` })),
      ...captures.map((capture) => ({
        at: Number(capture.at) * 1_000,
        who: 'card-provider',
        what: `${id} captured ${capture.amount}`,
      })),
      ...refunds.map((refund) => ({
        at: refund.at * 1_000,
        who: 'card-provider',
        what: `${id} refunded ${refund.amount}`,
      })),
    ]);
}

function callMoments(orderId: string, key: string | undefined, attempts: readonly Attempt[]): Moment[] {
  return attempts
    .filter((attempt) => attempt.path.includes(orderId) || (key !== undefined && attempt.key?.startsWith(key)))
    .flatMap(({ method, path, sentAt, endedAt, status }) => [
      { at: sentAt, who: 'client', what: `asks ${method} ${path}` },
      { at: endedAt, who: 'client', what: `hears ${status} of ${method} ${path}` },
    ]);
}

function faultMoments(first: number, last: number, disturbances: readonly Disturbance[]): Moment[] {
  return disturbances
    .filter(({ from, to }) => to >= first - 10_000 && from <= last + 10_000)
    .flatMap(({ fault, from, to }) => [
      { at: from, who: 'FAULT', what: `${fault} strikes` },
      { at: to, who: 'FAULT', what: `${fault} is healed` },
    ]);
}
