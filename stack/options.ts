// The command line of `npm start`.
import { parseArgs } from 'node:util';
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

export const usage = `npm start -- [options]
  --base <port>        first port (8000); services, their sidecars and databases take blocks above it
  --only <a,b>         these services only, with what they need
  --replicas <a=2,b=3> several of a service
  --data <folder>      where the data lies (.data/<profile>)
  --profile <name>     folder below components/ (local)
  --fresh              throw the data away and begin anew
  --help`;

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
