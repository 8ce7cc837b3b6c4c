// What the architecture rules look at: every file of the repository, and what each TypeScript file imports.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../../stack/layout.ts';

export interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** Path in the repository, for a file of ours. */
  readonly target: string | undefined;
  /** Gone once the types are stripped. */
  readonly typeOnly: boolean;
}

export interface Source {
  /** Path in the repository. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Files that git knows, or would take. Those that another process is just removing are left out. */
export const files: readonly string[] = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const STATEMENT = /^(?:import|export)\s+(type\s+)?((?:[^'";]*?)\sfrom\s+)?['"]([^'"]+)['"]/gm;
const CALL = /\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g;

export const sources: readonly Source[] = files
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map((path) => {
    const text = read(path);
    return { path, text, imports: importsOf(path, text) };
  });

/** `services/<name>/...` -> `<name>`. */
export const serviceOf = (path: string): string | undefined => /^services\/([^/]+)\//.exec(path)?.[1];

function importsOf(path: string, text: string): Import[] {
  const statements = [...text.matchAll(STATEMENT)].map(([, type, clause = '', specifier = '']) => ({
    specifier,
    target: targetOf(path, specifier),
    typeOnly: type !== undefined || onlyTypes(clause),
  }));
  const calls = [...text.matchAll(CALL)].map(([, specifier = '']) => ({
    specifier,
    target: targetOf(path, specifier),
    typeOnly: false,
  }));
  return [...statements, ...calls];
}

function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('#kit/')) return `services/kit/${specifier.slice('#kit/'.length)}.ts`;
  if (specifier.startsWith('.')) return relative('.', join(dirname(path), specifier));
  return undefined;
}

/** `{ type A, type B } from`: nothing of it is left at run time. */
function onlyTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}/.exec(clause.trim())?.[1];
  if (names === undefined) return false;
  return names.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
}
