// A view of report built anew, as far as its client sees it.
import { setTimeout as pause } from 'node:timers/promises';
import type { Gateway } from './gateway.ts';

/** All views that can be. */
export const VIEWS = ['sales', 'audit', 'saga', 'payments', 'ledger', 'stock', 'movements'] as const;

/** How a rebuild goes, or went. */
export interface RebuildProgress {
  readonly state: 'running' | 'done';
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly position: number;
  readonly end: number;
  readonly rows: number | null;
  readonly hash: string | null;
  readonly liveRows: number | null;
  readonly liveHash: string | null;
  readonly skipped: number;
}

/** Where a view is rebuilt and where to ask how it goes. */
export function rebuildPath(view: string): string {
  return `/api/v1/reports/views/${encodeURIComponent(view)}/rebuild`;
}

/** Waits for the end of a rebuild. Report may be restarting: it goes on where it was. @throws {Error} not done by `within` */
export async function awaitRebuilt(
  admin: Gateway,
  view: string,
  { within = Infinity, tell = () => {} }: { within?: number; tell?: (progress: RebuildProgress) => void } = {},
): Promise<RebuildProgress> {
  const deadline = Date.now() + within;
  for (;;) {
    const { body } = await admin.call<RebuildProgress>('GET', rebuildPath(view));
    tell(body);
    if (body.state === 'done') return body;
    if (Date.now() > deadline) throw new Error(`the rebuild of ${view} stands at ${body.position} of ${body.end}`);
    await pause(500);
  }
}

/** True if the new view says the same as the one that it replaced, and nothing was left out. */
export function isEqual({ rows, hash, liveRows, liveHash, skipped }: RebuildProgress): boolean {
  return rows === liveRows && hash === liveHash && skipped === 0;
}
