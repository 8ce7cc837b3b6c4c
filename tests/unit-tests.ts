// Which tests need nothing but Node: all that do not start the mesh, or daprd, broker or PostgreSQL for themselves.
import { type Source, sources } from './architecture/sources.ts';

/** What a test imports, at whatever distance, if it starts real processes of the runtime. */
const LAUNCHERS = ['stack/mesh.ts', 'stack/supervised.ts', 'tests/conformance/process.ts'];

const byPath = new Map(sources.map((source) => [source.path, source]));

/** Paths of the unit and api tests, and of the architecture rules. */
export function unitTests(): string[] {
  return sources.filter(({ path }) => path.endsWith('.test.ts') && !launches(path)).map(({ path }) => path);
}

function launches(path: string, seen = new Set<string>()): boolean {
  if (LAUNCHERS.includes(path)) return true;
  if (seen.has(path)) return false;
  seen.add(path);
  const next = (byPath.get(path) as Source | undefined)?.imports ?? [];
  return next.some(({ target, typeOnly }) => target !== undefined && !typeOnly && launches(target, seen));
}
