// Where the Dapr runtime and the broker are: the runner's build, or DAPR_BIN.
import { join } from 'node:path';

export async function findBinaries(): Promise<{ daprd: string; kfake: string }> {
  const folder = process.env['DAPR_BIN'] ?? '/tmp/daprbin';
  return { daprd: join(folder, 'daprd'), kfake: join(folder, 'kfake') };
}
