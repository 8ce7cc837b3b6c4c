// What an event of an earlier version would say in the newest one. Events are kept for ever, in stores and in topics, as
// they were written; whoever reads one sees the newest shape alone (docs/guides/change-an-event.md). Pure.
import { Poison } from '../errors.ts';

/** From the data of one version to that of the next. Its input has passed the contract of its own version. */
type Upcast = (data: never) => unknown;

/** Each step by the version that it begins at. A version that was ever published stays here for ever. */
const steps: Readonly<Record<string, Upcast>> = {
  /** A sale that has happened has no deadline, any other has one: two fields could say otherwise, `terms` cannot. */
  'order.placed.v1': ({ settled, deadlineAt, ...data }: { settled: boolean; deadlineAt: string | null }) => ({
    ...data,
    terms: settled ? { settled } : { settled, deadlineAt },
  }),
};

interface Versioned {
  readonly type: string;
  readonly data: unknown;
  readonly schemaVersion?: number;
}

/**
 * The event in the newest version of its type; itself if it is that already.
 * @throws {Poison} it cannot be read as its own version
 */
export function newest<E extends Versioned>(event: E): E {
  let { data, schemaVersion = 1 } = event;
  for (let step = stepAt(event.type, schemaVersion); step; step = stepAt(event.type, schemaVersion)) {
    try {
      data = step(data as never);
    } catch (cause) {
      throw new Poison('UPCAST_FAILED', { cause });
    }
    schemaVersion += 1;
  }
  return data === event.data ? event : { ...event, data, schemaVersion };
}

/** The version that is written and read now, of a type. */
export function newestVersion(type: string): number {
  let version = 1;
  while (stepAt(type, version)) version += 1;
  return version;
}

function stepAt(type: string, version: number): Upcast | undefined {
  const name = `${type}.v${version}`;
  return Object.hasOwn(steps, name) ? steps[name] : undefined;
}
