// `npm run rebuild -- events`: a process of its own hears every topic from its first event, beside the mesh that runs.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram } from '../../stack/bootstrap/runtime-folder.mjs';
import { StackError } from '../../stack/errors.ts';
import { layout, root } from '../../stack/layout.ts';
import { buildPlan } from '../../stack/plan.ts';
import { findFreeBase, planPorts } from '../../stack/ports.ts';
import { readResources, resourceFolders } from '../../stack/render.ts';
import { RunRecord } from '../../stack/run-record.ts';
import { loadSecrets, type Secrets } from '../../stack/secrets.ts';
import { relistener, services } from '../../stack/services.ts';
import { Supervised } from '../../stack/supervised.ts';
import { assertRuns, readSecrets, ToolError, type WhichMesh } from '../client/running-mesh.ts';

interface Comparison {
  readonly heard: number;
  readonly live: number;
  readonly missing: number;
  readonly found: number;
  readonly changed: number;
}

interface Exchanged {
  readonly rows: number;
  readonly hash: string;
  readonly liveRows: number;
  readonly liveHash: string;
}

/** Milliseconds without anything new after which the topics count as heard to their end, though events are missing. */
const STANDSTILL = 20_000;

/** Milliseconds for which the process beside may be away: it is started again when it dies. */
const AWAY = 30_000;

/**
 * Answers the exit code: 0 the log was what the topics say, 1 it was not (and is now), 130 interrupted. When this is ended
 * half-way, what was heard stays, and the next one goes on with it. @throws {ToolError}
 */
export async function rebuildEvents(
  mesh: WhichMesh,
  say: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  const started = performance.now();
  readSecrets(mesh); // a folder of no system is named before anything is made in it
  await assertRuns(mesh.url);
  const beside = await startBeside(mesh);
  try {
    const heard = await untilHeard(beside.ask, say, signal);
    if (!heard) {
      say('interrupted: the log is as it was, what was heard is kept for the next time');
      return 130;
    }
    const { rows, hash, liveRows, liveHash } = await beside.ask<Exchanged>('POST', '/internal/relisten/exchange');
    say(`events: ${rows} rows, hash ${hash}, in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
    say(`before: ${liveRows} rows, hash ${liveHash}`);
    say(`${heard.changed} said something else, ${heard.found} were missing, ${heard.missing} are in no topic any more`);
    const equal = hash === liveHash && heard.missing === 0;
    say(equal ? 'equal' : 'DIFFERENT: npm run rebuild -- all makes the views what the log says now');
    return equal ? 0 : 1;
  } finally {
    await beside.stop();
  }
}

type Ask = <T>(method: string, path: string) => Promise<T>;

/** Undefined when it was interrupted. */
async function untilHeard(ask: Ask, say: (line: string) => void, signal: AbortSignal): Promise<Comparison | undefined> {
  let last: Comparison | undefined;
  let moved = performance.now();
  for (;;) {
    if (signal.aborted) return undefined;
    const now = await whenBack(() => ask<Comparison>('GET', '/internal/relisten'));
    if (now.heard !== last?.heard) {
      moved = performance.now();
      say(`${now.heard} of ${now.live} events heard`);
    } else if (now.missing === 0 || performance.now() - moved > STANDSTILL) return now;
    last = now;
    await pause(1_000);
  }
}

/** What it answers as soon as it does: it, its sidecar or the database may just be coming back. */
async function whenBack<T>(question: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + AWAY; ; await pause(500)) {
    try {
      return await question();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

async function startBeside({ url, profile, data }: WhichMesh): Promise<{ ask: Ask; stop(): Promise<void> }> {
  const folders = layout(profile, data);
  const base = Number(new URL(url).port);
  const { appId } = relistener;
  const own = planPorts([relistener], await findFreeBase()).apps;
  const ports = { ...planPorts(services, base), apps: own };
  const secrets: Secrets = loadSecrets(folders.data, [...services, relistener]);
  const plan = buildPlan({
    ...{ folders, base, ports, secrets, selected: [relistener], joining: true },
    ...{ replicas: {}, env: {}, topics: [], interpose: [] },
    values: { GENERATION: String(Date.now()) },
    resources: readResources(resourceFolders(root, profile)),
    configuration: join(root, 'dapr', 'configuration.yaml'),
    programs: { daprd: program('daprd'), kfake: program('kfake') },
  });
  const record = await claim(folders.data);
  const processes = [...plan.sidecars, ...plan.apps].map((spec) => new Supervised(spec, record, () => undefined));
  const stop = async () => {
    for (const each of processes.toReversed()) await each.stop();
    record.release();
  };
  try {
    await Promise.all(processes.map((each) => each.start()));
    await Promise.all(processes.map((each) => each.waitReady()));
  } catch (error) {
    await stop();
    throw error;
  }
  const ask: Ask = async <T>(method: string, path: string) => {
    const headers = { 'dapr-app-id': appId, 'dapr-api-token': String(secrets[`dapr-api-token-${appId}`]) };
    const answer = await fetch(`http://127.0.0.1:${own[appId]?.daprHttp}${path}`, { method, headers });
    if (answer.status !== 200) throw new ToolError(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  return { ask, stop };
}

/** Ends what a killed rebuild left. @throws {ToolError} one is under way */
async function claim(data: string): Promise<RunRecord> {
  try {
    return await RunRecord.claim(join(data, 'relisten.json'));
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    throw new ToolError('The log is being rebuilt already: only one at a time.', { cause });
  }
}

function program(name: string): string {
  const file = findProgram(root, name);
  if (!file) throw new ToolError(`${name} is not built: start the system first with npm start`);
  return file;
}
