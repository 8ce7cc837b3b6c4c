// `npm start`, first half. Plain JavaScript, because it also runs on Node 20: checks the tools, installs what the
// lockfile names, builds the Dapr runtime once, and hands over to main.ts on Node 24.
// `--prepare` does all of this and stops there (`npm test` uses it). With `--profile` also what that
// profile needs more, and with `--tools dynoxide,kafka,redis-server` these (conformance).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installDependencies } from './bootstrap/dependencies.mjs';
import { Failure } from './bootstrap/failure.mjs';
import { buildRuntime } from './bootstrap/runtime-build.mjs';
import { cacheFolder } from './bootstrap/runtime-folder.mjs';
import { installTools, toolsOf } from './bootstrap/tools.mjs';
import { usage } from './bootstrap/usage.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const startedAt = Date.now();
const args = process.argv.slice(2);
const prepareOnly = args.includes('--prepare');

async function prepare() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) {
    throw new Failure(`Node ${process.versions.node} is too old.`, 'Install Node 20 or newer: https://nodejs.org');
  }
  await installDependencies(root);
  await buildRuntime(root);
  const options = { profile: { type: 'string', default: 'local' }, tools: { type: 'string', default: '' } };
  const { profile, tools } = parseArgs({ args, options, strict: false }).values;
  await installTools([...toolsOf(root, String(profile)), ...String(tools).split(',').filter(Boolean)]);
}

/** Services are TypeScript that Node 24 runs as it stands; an installed Node 24 is used, else the one from npm. */
function node24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const file = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(file) && spawnSync(file, ['--version']).status === 0) return file;
  throw new Failure(
    `Node ${process.versions.node} runs here, Node 24 is needed, and npm has no Node 24 for ${process.platform}-${process.arch}.`,
    'Install Node 24 (https://nodejs.org) and start again.',
  );
}

function handOver() {
  const child = spawn(node24(), [join(root, 'stack', 'main.ts'), ...args], {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled'), STACK_STARTED_AT: String(startedAt) },
    // The channel closes when this process is killed, so that the mesh is not left running by itself.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // Ctrl-C reaches the whole foreground group, main.ts too: wait for its orderly end. Other signals are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm that is killed says nothing to us: our parent is another one then.
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500);
  if (!process.env.npm_lifecycle_event) clearInterval(watch); // `node stack/start.mjs &` may outlive its shell
  child.once('exit', (code, signal) => {
    clearInterval(watch);
    process.exitCode = signal ? 1 : (code ?? 1);
  });
}

try {
  if (args.includes('--help')) {
    process.stdout.write(`${usage}\n`);
  } else {
    await prepare();
    if (!prepareOnly) handOver();
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`\n${error.message}\n${error.remedy}\n`);
  process.exitCode = 1;
}
