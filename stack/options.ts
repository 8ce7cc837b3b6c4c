// The command line of `npm start`.
import { parseArgs } from 'node:util';
import { usage } from './bootstrap/usage.mjs';
import { StackError } from './errors.ts';

export interface StartOptions {
  readonly profile: string;
  readonly base: number;
  readonly only: readonly string[];
  readonly replicas: Readonly<Record<string, number>>;
  readonly fresh: boolean;
  readonly help: boolean;
  readonly dataDir?: string;
}

export { usage };

/** @throws StackError for an option or a value that it does not know. */
export function parseOptions(args: readonly string[]): StartOptions {
  const { values } = read(args);
  const base = Number(values.base ?? 8000);
  if (!Number.isInteger(base)) throw new StackError(`--base ${values.base} is no port.`, usage);
  return {
    profile: values.profile ?? 'local',
    base,
    only: list(values.only),
    replicas: Object.fromEntries(list(values.replicas).map(replica)),
    fresh: values.fresh ?? false,
    help: values.help ?? false,
    ...(values.data === undefined ? {} : { dataDir: values.data }),
  };
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { base: text, only: text, replicas: text, data: text, profile: text, fresh: flag, help: flag };
  try {
    return parseArgs({ args: [...args], options });
  } catch (cause) {
    throw new StackError((cause as Error).message, usage, cause);
  }
}

const list = (text = ''): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

function replica(text: string): [string, number] {
  const [, appId, count] = /^([a-z-]+)=([1-9])$/.exec(text) ?? [];
  if (!appId) throw new StackError(`--replicas ${text} is not <service>=<1 to 9>.`, usage);
  return [appId, Number(count)];
}
