// Ports for the processes of a test file.
import { createServer } from 'node:net';

const taken = new Set<number>();

/** A free port below 32768, where Linux does not take ports for outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 22_000 + Math.floor(Math.random() * 8_000);
    if (taken.has(port)) continue;
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (!free) continue;
    taken.add(port);
    return port;
  }
}
