// A service whose clock is minutes off: its deadlines, tokens and the times in its events are wrong until it is put right.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Mesh, MeshOptions } from '../../../stack/mesh.ts';
import type { Fault } from '../fault.ts';
import { replicasOf } from '../replicas.ts';

const MINUTE_MS = 60_000;
const FOLLOWED_WITHIN_MS = 20_000;

/** The wall clocks of some services, each moved on its own while the service runs. All replicas of one share it. */
export class Clocks {
  readonly #folder = mkdtempSync(join(tmpdir(), 'clocks-'));
  /** For `MeshOptions.env`: services without it keep the time of the machine. */
  readonly env: NonNullable<MeshOptions['env']>;

  constructor(appIds: readonly string[]) {
    const preload = fileURLToPath(new URL('./clock-preload.ts', import.meta.url));
    for (const appId of appIds) this.#write(appId, 0);
    this.env = Object.fromEntries(
      appIds.map((appId) => [
        appId,
        { NODE_OPTIONS: `--no-warnings --import=${preload}`, CLOCK_FILE: this.#file(appId) },
      ]),
    );
  }

  /**
   * Sets a service's clock `ms` before (positive) or behind the machine's; resolves when all its processes go by it.
   * @throws {Error} one of them does not follow, not even after a restart
   */
  async set(mesh: Mesh, appId: string, ms: number): Promise<void> {
    this.#write(appId, ms);
    const deadline = Date.now() + FOLLOWED_WITHIN_MS;
    for (const replica of replicasOf(mesh, appId).map((name) => mesh.process(name))) {
      while (replica.state !== 'stopped' && this.#seenBy(appId, replica.pid) !== String(ms)) {
        if (Date.now() > deadline) throw new Error(`${replica.name} does not follow its clock file`);
        await pause(20);
      }
    }
  }

  /** Throws the control files away; the services have to be gone. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(appId: string): string {
    return join(this.#folder, appId);
  }

  #write(appId: string, ms: number): void {
    const draft = `${this.#file(appId)}.new`;
    writeFileSync(draft, String(ms));
    renameSync(draft, this.#file(appId)); // never half a number
  }

  #seenBy(appId: string, pid: number | undefined): string | undefined {
    const file = `${this.#file(appId)}.${pid}`;
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }
}

/** Moves the wall clock of a service by some minutes, either way. Refusals are allowed while it lasts (tokens expire or are not yet valid). */
export function clockOff({ clocks, appId, minutes }: { clocks: Clocks; appId: string; minutes: number }): Fault {
  return {
    name: `clock of ${appId} ${Math.abs(minutes)} min ${minutes > 0 ? 'fast' : 'slow'}`,
    hits: [appId],
    strike: ({ mesh }) => clocks.set(mesh, appId, minutes * MINUTE_MS),
    heal: ({ mesh }) => clocks.set(mesh, appId, 0),
  };
}
