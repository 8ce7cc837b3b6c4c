// Where the Dapr binaries of this checkout are: a cache outside the clone, one folder for each state of the pins.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What `dapr/runtime` builds. */
export const programs = ['daprd', 'kfake'];

/** A change of this text means: build again. */
const RECIPE = 'CGO_ENABLED=0 -trimpath -s -w 1.18.3';

export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retail-erp');
}

/** The cached file of a program, named by the hash of all that goes into it. */
export function cachedProgram(root, program) {
  const source = join(root, 'dapr', 'runtime', program);
  const hash = createHash('sha256').update(`${RECIPE} ${process.platform} ${process.arch}`);
  const files = readdirSync(source).filter((file) => /\.go$|^go\.(mod|sum)$/.test(file));
  for (const file of files.sort()) hash.update(`\0${file}\0`).update(readFileSync(join(source, file)));
  return join(cacheFolder(), `${program}-${hash.digest('hex').slice(0, 16)}`, program);
}

/** Path of a program that can be run, or undefined when it is yet to be built. DAPR_BIN wins. */
export function findProgram(root, program) {
  const file = process.env.DAPR_BIN ? join(process.env.DAPR_BIN, program) : cachedProgram(root, program);
  return existsSync(file) ? file : undefined;
}
