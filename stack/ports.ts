// Which process listens where: blocks of ten from one base, all on loopback and below the ephemeral range.
import { createServer, type Server } from 'node:net';
import { StackError } from './errors.ts';
import type { Deployable } from './services.ts';

export interface AppPorts {
  readonly app: number;
  readonly daprHttp: number;
  readonly daprGrpc: number;
  readonly daprInternal: number;
  readonly metrics: number;
  /** Where the sidecar looks for the app when somebody stands between them (`MeshOptions.interpose`)... */
  readonly toApp: number;
  /** ...and the app for the sidecar. */
  readonly toSidecar: number;
}

export interface PortPlan {
  /** By process name: `order`, and `order-2` for its second replica. */
  readonly apps: Readonly<Record<string, AppPorts>>;
  readonly broker: number;
  readonly postgres: number;
  readonly smtp: number;
  readonly mailWeb: number;
  readonly cardProvider: number;
  /** Where Kafka's controller listens; only its broker asks it. */
  readonly kafkaController: number;
  readonly dynamodb: number;
  readonly redis: number;
}

/** Linux hands out ports from here to outgoing connections: a listener up there may find its port taken at any moment. */
const EPHEMERAL = 32_768;
const BLOCK = 10;

/**
 * The ports of a whole mesh. A service's block depends on its place in the table only, so that a subset
 * of services keeps its ports; replicas have blocks of their own behind the infrastructure.
 */
export function planPorts(
  table: readonly Deployable[],
  base: number,
  replicas: Readonly<Record<string, number>> = {},
): PortPlan {
  let next = base;
  const block = () => {
    const first = next;
    next += BLOCK;
    return first;
  };
  const apps: Record<string, AppPorts> = {};
  for (const { appId } of table) apps[appId] = appPorts(block());
  const [broker, postgres, mail, cardProvider] = [block(), block(), block(), block()];
  for (const { appId } of table) {
    for (let n = 2; n <= (replicas[appId] ?? 1); n++) apps[`${appId}-${n}`] = appPorts(block());
  }
  if (!Number.isInteger(base) || base < 1024 || next > EPHEMERAL) {
    throw new StackError(
      `The ports ${base} to ${next - 1} do not lie between 1024 and ${EPHEMERAL - 1}.`,
      'Choose another first port with --base.',
    );
  }
  // Broker and databases have room in their blocks: what few profiles use moves nobody's ports.
  const [kafkaController, dynamodb, redis] = [broker + 1, postgres + 1, postgres + 2];
  return { apps, broker, kafkaController, postgres, dynamodb, redis, smtp: mail, mailWeb: mail + 1, cardProvider };
}

function appPorts(first: number): AppPorts {
  return {
    ...{ app: first, daprHttp: first + 1, daprGrpc: first + 2, daprInternal: first + 3, metrics: first + 4 },
    ...{ toApp: first + 5, toSidecar: first + 6 },
  };
}

/** Refuses to start on a port that somebody else has: a foreign daprd on the same port answers politely, and wrongly. */
export async function assertPortsFree(wanted: ReadonlyMap<number, string>): Promise<void> {
  const taken: string[] = [];
  for (const [port, use] of wanted) if (!(await isFree(port))) taken.push(`${port} (${use})`);
  if (taken.length === 0) return;
  const [first] = taken;
  throw new StackError(
    taken.length > 3
      ? `${taken.length} of the ports that are needed are taken by other processes, ${first} first.`
      : `Port ${taken.join(', ')} is taken by another process.`,
    'End that process (another mesh?), or choose another range with --base, for example --base 9000.',
  );
}

/** Milliseconds for which a range is held: by then its owner listens there itself, or is done. */
const HELD_MS = 150_000;

/**
 * A base with `span` free ports above it, for tests that run beside other meshes. Nobody else is given the range while
 * its last port, which no plan uses, is held for it; after that every port is asked, as of a mesh whose app was killed
 * or which never had one only the sidecar may listen. `random` answers from 0 to below 1.
 * @throws {StackError} there is none
 */
export async function findFreeBase(span = 400, random: () => number = Math.random): Promise<number> {
  const ranges = Math.floor((EPHEMERAL - 10_000) / span);
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 10_000 + span * Math.floor(random() * ranges); // two ranges are the same or have nothing in common
    const held = await listen(base + span - 1);
    if (!held) continue;
    const ports = Array.from({ length: span - 1 }, (_, offset) => base + offset);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) {
      setTimeout(() => held.close(), HELD_MS).unref();
      held.unref();
      return base;
    }
    held.close();
  }
  throw new StackError('No free range of ports was found.', 'End processes that are left over, or pass a base.');
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server) await new Promise((resolve) => server.close(resolve));
  return server !== undefined;
}

/** Undefined if somebody else has the port. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
