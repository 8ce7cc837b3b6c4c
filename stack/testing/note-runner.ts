// A runner to be killed: starts the mesh of notes on the folder and base of its arguments and stays.
import { startNoteMesh } from './note-mesh.ts';

const [dataDir = '', base = ''] = process.argv.slice(2);
const mesh = await startNoteMesh({ dataDir, base: Number(base) });
process.stdout.write(`${JSON.stringify(mesh.processes.map(({ name, pid }) => ({ name, pid })))}\n`);
setInterval(() => {}, 1_000);
