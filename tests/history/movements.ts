// The story of a stock item: every movement with what was on hand and reserved after it.
import type { Recorded } from './sources.ts';

/** Units after a movement. */
interface Level {
  readonly onHand: number;
  readonly reserved: number;
}

/** What a movement of one unit does to the level. */
const effects: Readonly<Record<string, Level>> = {
  'item.received': { onHand: 1, reserved: 0 },
  'item.adjusted': { onHand: 1, reserved: 0 },
  'item.found': { onHand: 1, reserved: 0 },
  'item.reserved': { onHand: 0, reserved: 1 },
  'item.released': { onHand: 0, reserved: -1 },
  'item.committed': { onHand: -1, reserved: -1 },
  'item.uncommitted': { onHand: 1, reserved: 0 },
  'item.returned': { onHand: 1, reserved: 0 },
  'item.damaged': { onHand: 0, reserved: 0 },
  'item.dispatched': { onHand: -1, reserved: 0 },
  'item.arrived': { onHand: 1, reserved: 0 },
  'item.written-off': { onHand: -1, reserved: 0 },
  'item.counted': { onHand: 1, reserved: 0 },
};

/** Two lines a movement: when, what and the level after it; by whom and for what. */
export function movementsOf(events: readonly Recorded[]): string[] {
  let level: Level = { onHand: 0, reserved: 0 };
  return events.flatMap(({ at, type, actor, data }) => {
    const quantity = Number(data.quantity ?? 0); // a threshold is no movement
    const effect = effects[type] ?? { onHand: 0, reserved: 0 };
    level = {
      onHand: level.onHand + effect.onHand * quantity,
      reserved: level.reserved + effect.reserved * quantity,
    };
    const what = `${type.replace('item.', '').padEnd(11)} ${String(quantity).padStart(6)}`;
    return [
      `${at}  ${what} -> on hand ${level.onHand}, reserved ${level.reserved}, available ${level.onHand - level.reserved}`,
      `    by ${actor ?? 'somebody whose work is under way'}, for ${nameOf(String(data.cause))}`,
    ];
  });
}

/** The cause for people: its key holds client text encoded. */
function nameOf(cause: string): string {
  const [kind = '', first = '', second = ''] = cause.split(':');
  switch (kind) {
    case 'reservation':
      return `order ${first}`;
    case 'receipt-part':
      return `receipt ${decoded(second)}`;
    case 'adjustment':
    case 'write-off':
    case 'count':
      return `${kind} ${decoded(second)}`;
    case 'transfer':
    case 'arrival':
      return `transfer ${first}`;
    case 'threshold':
      return 'its threshold';
    default:
      return cause;
  }
}

/** Long texts are kept as their hash. */
function decoded(part: string): string {
  return part.startsWith('h_') ? part : Buffer.from(part, 'base64url').toString('utf8');
}
