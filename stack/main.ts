// `npm start`, second half (Node 24): the mesh in the foreground until Ctrl-C.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Board, createBoard } from './board.ts';
import { StackError } from './errors.ts';
import { root } from './layout.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { parseOptions, usage } from './options.ts';
import type { Secrets } from './secrets.ts';

/** What `stack/demo.ts` exports: puts shops, products, stock and identities in; may run again at each start. */
type SeedDemo = (context: { baseUrl: string; secrets: Secrets; log: (line: string) => void }) => Promise<void>;

/** The demo data is put in through the public surface of these. */
const demoNeeds = ['gateway', 'auth', 'product', 'inventory', 'shop'];

const started = Number(process.env.STACK_STARTED_AT) || Date.now();

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const board = createBoard(process.stdout, started);
  const ended = Promise.withResolvers<number>();
  let mesh: Mesh | undefined;
  let signals = 0;
  const leave = (why: string) => {
    signals++;
    if (signals > 1) mesh?.hasten();
    else {
      board.say(`${why}: stopping in order (once more to hasten)`);
      ended.resolve(0);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => leave(signal));
  process.on('disconnect', () => leave('npm start was killed')); // the bootstrap is gone

  const up = startMesh({
    ...options,
    onStart: (starting) => {
      mesh = starting;
    },
    onChange: (processes) => board.show(processes),
    log: (line) => board.say(line),
    seed: (starting) => seedDemo(starting, board),
  });
  const first = await Promise.race([up.then(() => 'up' as const), ended.promise]);
  if (first === 'up') {
    board.settle();
    welcome(board, await up, options.only.length === 0 || options.only.includes('gateway'));
    await ended.promise;
  } else {
    up.catch(() => {}); // it is being stopped half-way: what it misses now is no news
  }
  await mesh?.stop();
  board.say('stopped');
  return 0;
}

async function seedDemo({ url, secrets, processes }: Mesh, board: Board): Promise<void> {
  const file = join(root, 'stack', 'demo.ts');
  const missing = demoNeeds.filter((appId) => !processes.some(({ name }) => name === appId));
  if (!existsSync(file)) return;
  if (missing.length > 0) return board.say(`no demo data: it comes in through ${missing.join(', ')}, left out here`);
  const { seedDemo: seed } = (await import(file)) as { seedDemo: SeedDemo };
  await seed({ baseUrl: url, secrets, log: (line) => board.say(line) });
}

function welcome(board: Board, { url, ports, secrets, dataDir, processes }: Mesh, withGateway: boolean): void {
  board.say('ready');
  const out = (line = '') => process.stdout.write(`${line}\n`);
  out();
  if (withGateway) {
    const login = JSON.stringify({ email: 'admin@demo.test', password: secrets['demo-password'] });
    out(`  The shop's API      ${url}/api/v1   (read it at ${url}/docs)`);
    if (processes.some(({ name }) => name === 'mail')) out(`  Mails it sent       http://127.0.0.1:${ports.mailWeb}`);
    out(`  Demo identities     admin@demo.test, manager@demo.test, cashier@demo.test, customer@demo.test`);
    out(`  Their password      ${secrets['demo-password']}`);
    out();
    out('  Try:');
    out(`    curl -s '${url}/api/v1/products?limit=3'`);
    out(`    curl -s ${url}/api/v1/auth/login -H 'content-type: application/json' -d '${login}'`);
    const usual = new URL(url).port === '8000' && dataDir === join(root, '.data', 'local');
    out(usual ? '    npm run replay' : `    npm run replay -- --url ${url} --data ${dataDir}`);
    out();
  }
  out(`  Data and logs       ${dataDir}`);
  out('  Ctrl-C stops everything.');
  out();
}

// A closed terminal must not keep us from stopping what we started.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

try {
  process.exit(await main());
} catch (error) {
  const text = error instanceof StackError ? `${error.message}\n${error.remedy}` : ((error as Error).stack ?? error);
  process.stderr.write(`\n${text}\n`);
  process.exit(1);
}
