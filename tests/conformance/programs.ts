// Where the programs are: the Dapr runtime and the broker (the runner's own build, or DAPR_BIN), and further tools.
import { findProgram } from '../../stack/bootstrap/runtime-folder.mjs';
import { findTool, type Tool } from '../../stack/bootstrap/tools-folder.mjs';
import { root } from '../../stack/layout.ts';

/** Path of `daprd` or `kfake`. @throws when it is yet to be built, with what to do. */
export function programPath(program: 'daprd' | 'kfake'): string {
  const file = findProgram(root, program);
  if (file) return file;
  throw new Error(
    `${program} is not built: run \`node stack/start.mjs --prepare\` once, or name its folder in DAPR_BIN.`,
  );
}

/** Path of what only some component sets need. @throws when it is not installed, with what to do. */
export function toolPath(tool: Tool): string {
  const path = findTool(tool);
  if (path) return path;
  throw new Error(`${tool} is not installed: run \`npm run conformance\`, which installs what it can.`);
}
