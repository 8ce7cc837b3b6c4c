// Which tests need nothing but Node, and which start the mesh, or daprd, broker or PostgreSQL for themselves.
import { type Source, sources } from './architecture/sources.ts';

/** What a test imports, at whatever distance, if it starts real processes of the runtime. */
const LAUNCHERS = ['stack/mesh.ts', 'stack/supervised.ts', 'tests/conformance/process.ts'];

const byPath = new Map(sources.map((source) => [source.path, source]));

const tests = sources.map(({ path }) => path).filter((path) => path.endsWith('.test.ts'));

/** Paths of the unit and api tests, and of the architecture rules. */
export function unitTests(): string[] {
  return tests.filter((path) => !launches(path));
}

/**
 * Paths of the tests that start real processes, but for the rings of their own (acceptance and chaos) and for the
 * component sets that `npm test` leaves to `npm run conformance`.
 */
export function processTests(): string[] {
  return tests.filter((path) => launches(path) && !/^tests\/(acceptance|chaos|conformance\/further)\//.test(path));
}

function launches(path: string, seen = new Set<string>()): boolean {
  if (LAUNCHERS.includes(path)) return true;
  if (seen.has(path)) return false;
  seen.add(path);
  const next = (byPath.get(path) as Source | undefined)?.imports ?? [];
  return next.some(({ target, typeOnly }) => target !== undefined && !typeOnly && launches(target, seen));
}
