// A lock between processes: a file that only one can make, with the maker's pid in it.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Does `action` while holding the lock.
 * @param {string} file
 * @param {{ pause: () => Promise<void>, over: () => void }} wait called while somebody else holds it, and when the wait is over
 * @param {() => Promise<void>} action
 */
export async function withLock(file, wait, action) {
  while (!take(file)) {
    if (isAbandoned(file)) breakLock(file);
    else await wait.pause();
  }
  wait.over();
  const letGo = () => rmSync(file, { force: true });
  const quit = () => {
    letGo();
    process.exit(130);
  };
  process.once('SIGINT', quit).once('SIGTERM', quit);
  try {
    await action();
  } finally {
    process.off('SIGINT', quit).off('SIGTERM', quit);
    letGo();
  }
}

function take(file) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, String(process.pid)); // the lock must never be seen without its pid
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function isAbandoned(file) {
  let pid;
  try {
    pid = Number(readFileSync(file, 'utf8'));
  } catch {
    return false; // let go in this moment
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Of several that find it abandoned only one may remove it, and none may remove a new one. */
function breakLock(file) {
  const aside = `${file}.broken.${process.pid}`;
  try {
    renameSync(file, aside);
    if (!isAbandoned(aside)) linkSync(aside, file);
  } catch {
    // another was quicker
  }
  rmSync(aside, { force: true });
}
