// I7 between shops: what one sent is what the other received, less what was posted as lost, more what was posted as surplus.
import type { StreamDocument } from '../../services/kit/events/document.ts';
import type { Violation } from './violation.ts';

interface Line {
  readonly sku: string;
  readonly quantity: number;
}
interface Transfer {
  readonly status: string;
  readonly receive: boolean;
  readonly lines: readonly Line[];
  readonly received: readonly {
    readonly sku: string;
    readonly sent: number;
    readonly received: number;
    readonly damaged: number;
    readonly difference: number;
  }[];
}

/** Once nothing is under way: every transfer has the arrival that it tells of, and goods that were to be received are. */
export function checkTransfers(
  transfers: ReadonlyMap<string, StreamDocument>,
  arrivals: ReadonlyMap<string, StreamDocument>,
): Violation[] {
  const found: Violation[] = [];
  for (const [id, document] of transfers) {
    const wrong = (what: string) => found.push({ invariant: 'I7', subject: document.key, what });
    const { status, receive, lines, received } = document.state as Transfer;
    const arrived = arrivals.get(id)?.events.find(({ type }) => type === 'stock.arrived');
    if (status === 'opened') wrong('is still being sent');
    if (status === 'in_transit' && receive) wrong('was to be received as sent, and is not');
    if ((status === 'received') !== (arrived !== undefined)) wrong(`is ${status}, its arrival says otherwise`);
    if (!arrived) continue;
    const came = unitsOf((arrived.data as { lines: readonly Line[] }).lines);
    const sent = unitsOf(lines);
    for (const sku of new Set([...sent.keys(), ...came.keys()])) {
      const told = received.find((line) => line.sku === sku);
      if (told?.sent !== (sent.get(sku) ?? 0)) wrong(`sent ${sent.get(sku) ?? 0} of ${sku} and tells of ${told?.sent}`);
      if (told?.received !== (came.get(sku) ?? 0)) {
        wrong(`${came.get(sku) ?? 0} of ${sku} arrived, and it tells of ${told?.received}`);
      }
      if (told && told.difference !== told.received - told.sent) wrong(`posts ${told.difference} of ${sku}`);
    }
  }
  for (const [id, { key }] of arrivals) {
    if (!transfers.has(id)) found.push({ invariant: 'I7', subject: key, what: 'arrived without having been sent' });
  }
  return found;
}

function unitsOf(lines: readonly Line[]): Map<string, number> {
  return new Map(lines.map(({ sku, quantity }) => [sku, quantity]));
}
