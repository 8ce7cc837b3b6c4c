// node_modules as the lockfile says.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** Runs `npm ci` when node_modules is missing or was made from another lockfile. */
export async function installDependencies(root) {
  const lock = join(root, 'package-lock.json');
  const modules = join(root, 'node_modules');
  const stamp = join(modules, '.made-from');
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  if (existsSync(stamp) || !madeByHand(modules, lock)) {
    // Scripts stay off: nothing we use needs one, and PostgreSQL's links are made by stack/postgres-binaries.ts.
    await run(
      { title: 'npm ci', file: 'npm', args: ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd: root },
      'npm comes with Node. If it is there, check the network or the registry setting (`npm config get registry`) and start again.',
    );
  }
  writeFileSync(stamp, hash);
}

/** npm writes this file last; newer than the lock, it means that somebody has run `npm ci` already. */
function madeByHand(modules, lock) {
  const inner = join(modules, '.package-lock.json');
  return existsSync(inner) && statSync(inner).mtimeMs >= statSync(lock).mtimeMs;
}
