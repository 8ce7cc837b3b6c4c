// Ready means: every service is, and the demo data is in.
import { access } from 'node:fs/promises';
import type { Sidecar } from '#kit/dapr/sidecar';

/** An answer is kept so long, so that asking often costs nothing. */
const KEEP_MS = 500;

/** Asks every service for its readiness, through the sidecars. `file`: has to exist, too. */
export function readiness(sidecar: Sidecar, appIds: readonly string[], file: string | undefined) {
  let kept: { answer: Promise<Record<string, boolean>>; until: number } | undefined;

  async function ask(): Promise<Record<string, boolean>> {
    const checks = await Promise.all([
      ...appIds.map(async (appId) => [appId, await isReady(sidecar, appId)] as const),
      ...(file === undefined ? [] : [exists(file).then((there) => ['data', there] as const)]),
    ]);
    return Object.fromEntries(checks);
  }

  return (): Promise<Record<string, boolean>> => {
    if (!kept || Date.now() >= kept.until) kept = { answer: ask(), until: Date.now() + KEEP_MS };
    return kept.answer;
  };
}

async function isReady(sidecar: Sidecar, appId: string): Promise<boolean> {
  try {
    return (await sidecar.invoke(appId, 'GET', '/readyz', { timeout: 2_000 })).status === 200;
  } catch {
    return false;
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
