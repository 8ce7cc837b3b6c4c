// `npm run dead-letters`: what nobody could handle, on the terminal: list, show, replay, discard.
import { parseArgs } from 'node:util';
import type { Gateway } from '../client/gateway.ts';
import { ProblemError } from '../client/problem.ts';
import { everyItem } from '../client/retail.ts';
import { asAdmin, meshHelp, meshOptions, ToolError, type WhichMesh } from '../client/running-mesh.ts';

const HELP = `npm run dead-letters -- [what] [options]
  list                 the open ones (also without a word)
  show <id>            one of them: why it was buried, the message, what was done with it
  replay <id>          gives it back to who gave it up
  replay all           all open ones, each stream in the order of its versions
  discard <id>         gives it up for good
  --reason <text>      why; needed to replay and to discard, and kept with your name
  --app <name>         only what this app gave up (list, replay all)
  --topic <name>       only of this topic (list, replay all)
${meshHelp}`;

/** As `/api/v1/dead-letters` answers it. */
interface Letter {
  readonly id: string;
  readonly topic: string;
  readonly app: string;
  readonly reason: string;
  readonly detail: string | null;
  readonly attempts: number;
  readonly stream: string | null;
  readonly version: number | null;
  readonly status: string;
  readonly receivedAt: string;
}

interface WholeLetter extends Letter {
  readonly message: unknown;
  readonly acts: readonly Readonly<Record<'act' | 'outcome' | 'actor' | 'reason' | 'at', string>>[];
}

export interface Options {
  readonly reason?: string | undefined;
  readonly app?: string | undefined;
  readonly topic?: string | undefined;
}

const PATH = '/api/v1/dead-letters';

/** Does it; answers the exit code: 0 done, 1 refused or some were not replayed. @throws {Error} wrong use */
export async function run(
  [what = 'list', id = '', ...rest]: readonly string[],
  { reason, ...which }: Options,
  mesh: WhichMesh,
  say: (line: string) => void,
): Promise<number> {
  const wanted = { list: 0, show: 1, replay: 1, discard: 1 }[what];
  if (wanted === undefined) throw new Error(`There is no "${what}".`);
  if (rest.length > 0 || (wanted === 1) !== (id !== '')) throw new Error(`Say which one: ${what} <id>.`);
  const acts = what === 'replay' || what === 'discard';
  if (acts && !reason) throw new Error('Say why: --reason <text>.');
  const gateway = await asAdmin(mesh, { patience: 8_000 });
  try {
    if (what === 'list') return await list(gateway, which, say);
    if (what === 'replay' && id === 'all') return await replayAll(gateway, { ...which, reason }, say);
    return await one(gateway, what, id, reason, say);
  } finally {
    await gateway.close();
  }
}

async function list(gateway: Gateway, which: Omit<Options, 'reason'>, say: (line: string) => void): Promise<number> {
  const { app, topic } = which;
  const letters = await everyItem<Letter>(gateway, PATH, { ...(app && { app }), ...(topic && { topic }) });
  for (const letter of letters) say(lineOf(letter));
  say(letters.length === 0 ? 'No dead letters.' : `${letters.length} open`);
  return 0;
}

async function one(
  gateway: Gateway,
  what: string,
  id: string,
  reason: string | undefined,
  say: (line: string) => void,
): Promise<number> {
  const path = `${PATH}/${encodeURIComponent(id)}`;
  try {
    const { body } =
      what === 'show'
        ? await gateway.call<WholeLetter>('GET', path)
        : await gateway.call<WholeLetter>('POST', `${path}/${what}`, { body: { reason }, repeatable: true });
    say(lineOf(body));
    for (const { at, act, outcome, actor, reason: why } of body.acts)
      say(`  ${at}  ${act}: ${outcome}, by ${actor}: ${why}`);
    if (what === 'show')
      say(body.message === null ? 'The message cannot be read.' : JSON.stringify(body.message, null, 2));
    return what === 'replay' && body.status === 'open' ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { earlier } = (error.problem ?? {}) as { earlier?: string };
    say(earlier ? `Settle ${earlier} first: an earlier message of the same stream.` : error.message);
    return 1;
  }
}

async function replayAll(gateway: Gateway, body: Options, say: (line: string) => void): Promise<number> {
  const last = new Map<string, string>();
  for (let more = true; more; ) {
    const answer = await gateway.call<{ results: { id: string; outcome: string }[]; more: boolean }>(
      'POST',
      `${PATH}/replay`,
      { body, repeatable: true },
    );
    for (const { id, outcome } of answer.body.results) last.set(id, outcome);
    more = answer.body.more;
  }
  for (const [id, outcome] of last) say(`${id}  ${outcome}`);
  const left = [...last.values()].filter((outcome) => outcome !== 'replayed').length;
  say(`${last.size - left} replayed, ${left} left`);
  return left === 0 ? 0 : 1;
}

function lineOf({ id, status, app, topic, stream, version, attempts, reason, detail, receivedAt }: Letter): string {
  const what = stream === null ? 'no stream' : `${stream} v${version}`;
  const why = detail === null ? reason : `${reason} (${detail})`;
  return `${id}  ${status}  ${receivedAt}  ${topic} at ${app}: ${what}, ${why}, tried ${attempts} times`;
}

async function main(argv: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const options = { ...meshOptions, reason: text, app: text, topic: text, help: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  if (!values.help) return run(positionals, values, values, say);
  say(HELP);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    const isUse = !(error instanceof ToolError || error instanceof ProblemError);
    process.stderr.write(`${(error as Error).message}\n${isUse ? `${HELP}\n` : ''}`);
    process.exitCode = 2;
  }
}
