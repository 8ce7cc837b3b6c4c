// The cache outside the clone: what is built or fetched once, for all clones of this machine.
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from './failure.mjs';
import { withLock } from './lock.mjs';
import { showProgress } from './run.mjs';
import { cacheFolder } from './runtime-folder.mjs';

/**
 * Leaves a folder in the cache that appears whole or not at all; does nothing when it is there.
 * @param {string} folder
 * @param {string} what shown while another start makes the same
 * @param {(draft: string) => Promise<void>} make fills the draft, which then gets the folder's name
 */
export async function makeOnce(folder, what, make) {
  if (existsSync(folder)) return;
  prepareCache();
  await withLock(`${folder}.lock`, waitForOther(what), async () => {
    if (existsSync(folder)) return; // another clone was quicker
    const draft = `${folder}.new`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft);
    await make(draft);
    renameSync(draft, folder);
  });
}

function prepareCache() {
  const folder = cacheFolder();
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new Failure(
      `The cache ${folder} cannot be written: ${cause.message}`,
      'Name another folder in XDG_CACHE_HOME.',
    );
  }
}

/** Shows that another clone on this machine makes the same thing. */
function waitForOther(what) {
  let progress;
  return {
    async pause() {
      progress ??= showProgress(`Another start prepares ${what}; waiting for it`);
      await sleep(500);
    },
    over: () => progress?.end(),
  };
}
