// `npm run rebuild -- <view>`: asks report to build a view anew, shows how it goes, and compares it with the one it replaced.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Answer, Gateway } from '../client/gateway.ts';
import { person } from '../client/identity.ts';
import { awaitRebuilt, type RebuildProgress, rebuildPath, VIEWS } from '../client/rebuild.ts';
import { rebuildEvents } from './events.ts';

const HELP = `npm run rebuild -- <view> [options]
  <view>               ${VIEWS.join(', ')}, or all: each of them, one after another;
                       events: the log that they are made of, from the topics (first; while the system runs)
  --url <url>          the gateway (http://127.0.0.1:8000)
  --profile <name>     whose secrets to use: .data/<name>/secrets.json (local)
  --data <folder>      the data folder, when npm start was given another one
Report does the work: when this command is ended it goes on, and the command finds it again.`;

interface Verified {
  readonly rows: number;
  readonly next: number | null;
  readonly head: string | null;
  readonly broken: readonly { readonly position: number; readonly problem: string }[];
}

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Answers the exit code: 0 equal, 1 it differed from the view that it replaced or failed, 2 wrong use or none allowed. */
async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8000' },
      profile: { type: 'string', default: 'local' },
      data: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [view, ...others] = positionals;
  if (values.help || view === undefined || others.length > 0) {
    say(HELP);
    return values.help ? 0 : 2;
  }
  if (view === 'events') {
    const interrupt = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
    return rebuildEvents(values, say, interrupt.signal);
  }
  const secrets = JSON.parse(
    readFileSync(join(resolve(values.data ?? `.data/${values.profile}`), 'secrets.json'), 'utf8'),
  );
  const gateway = new Gateway({ baseUrl: values.url, connections: 2, patience: 60_000 });
  try {
    const admin = gateway.as(person('admin@demo.test', secrets['demo-password']));
    const codes: number[] = [];
    for (const name of view === 'all' ? VIEWS : [view]) codes.push(await rebuild(admin, name));
    if (view === 'all' || view === 'audit') codes.push(await verifyAudit(admin));
    return Math.max(...codes);
  } finally {
    await gateway.close();
  }
}

/** The exit code of one view. */
async function rebuild(admin: Gateway, view: string): Promise<number> {
  const path = rebuildPath(view);
  const begun = await admin.send<{ code?: string; detail?: string }>('POST', path, {});
  if (begun.status === 409) {
    say(
      `${view} is being rebuilt already: only one at a time. It stands at ${summary((await admin.call<RebuildProgress>('GET', path)).body)}`,
    );
    return 2;
  }
  if (begun.status !== 202) {
    say(`${view}: ${begun.status} ${begun.body.code ?? ''} ${begun.body.detail ?? ''}`);
    return 2;
  }
  return compare(view, await watch(admin, view));
}

/** Walks the whole hash chain of the audit. The exit code: 0 unbroken, 1 not. */
async function verifyAudit(admin: Gateway): Promise<number> {
  let [rows, broken, head] = [0, 0, ''];
  for (let after: number | null = 0; after !== null; ) {
    const part: Answer<Verified> = await admin.call('GET', `/api/v1/audit/verify?limit=20000&after=${after}`);
    const { body } = part;
    for (const { position, problem } of body.broken) say(`audit: ${problem} at ${position}`);
    rows += body.rows;
    broken += body.broken.length;
    head = body.head ?? head;
    after = body.next;
  }
  say(`audit: ${rows} rows chained, ${broken === 0 ? 'unbroken' : `BROKEN in ${broken} places`}, head ${head}`);
  return broken === 0 ? 0 : 1;
}

async function watch(admin: Gateway, view: string): Promise<RebuildProgress> {
  let last = '';
  return awaitRebuilt(admin, view, {
    tell(progress) {
      const now = summary(progress);
      if (now !== last) say(now);
      last = now;
    },
  });
}

function summary({ position, end, startedAt }: RebuildProgress): string {
  const seconds = Math.max(0.001, (Date.now() - Date.parse(startedAt)) / 1_000);
  const percent = end === 0 ? 100 : Math.floor((100 * position) / end);
  return `event ${position} of ${end} (${percent} %), ${Math.round(position / seconds)} a second`;
}

function compare(
  view: string,
  { rows, hash, liveRows, liveHash, skipped, startedAt, finishedAt }: RebuildProgress,
): number {
  const took = (Date.parse(finishedAt ?? '') - Date.parse(startedAt)) / 1_000;
  say(`${view}: ${rows} rows, hash ${hash}, in ${took.toFixed(1)} s`);
  say(`before: ${liveRows} rows, hash ${liveHash}`);
  if (skipped > 0) say(`${skipped} events could not be folded: table view_skips says why`);
  const equal = rows === liveRows && hash === liveHash;
  say(equal ? 'equal' : 'DIFFERENT: the view that was replaced was not what its events say');
  return equal ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  say((error as Error).message);
  return 1;
});
