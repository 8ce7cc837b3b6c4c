// Where the Dapr runtime and the broker are: the runner's own build, or DAPR_BIN.
import { findProgram } from '../../stack/bootstrap/runtime-folder.mjs';
import { root } from '../../stack/layout.ts';

/** Path of `daprd` or `kfake`. @throws when it is yet to be built, with what to do. */
export function programPath(program: 'daprd' | 'kfake'): string {
  const file = findProgram(root, program);
  if (file) return file;
  throw new Error(
    `${program} is not built: run \`node stack/start.mjs --prepare\` once, or name its folder in DAPR_BIN.`,
  );
}
