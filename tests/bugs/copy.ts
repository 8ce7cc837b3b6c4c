// A copy of the sources in which a mistake can be made.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../stack/layout.ts';
import type { Patch } from './bugs.ts';

const SOURCES = ['services', 'tests', 'stack', 'package.json', 'jest.config.json', 'tsconfig.json'];

export interface Copy {
  readonly folder: string;
  /** Makes the mistake. @throws {Error} a text to be replaced is not there exactly once */
  apply(patches: readonly Patch[]): void;
  /** Takes it back. */
  restore(patches: readonly Patch[]): void;
  remove(): void;
}

export function copySources(): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'bugs-'));
  for (const name of SOURCES) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    apply(patches) {
      for (const patch of patches)
        writeFileSync(join(folder, patch.file), patched(readFileSync(join(folder, patch.file), 'utf8'), patch));
    },
    restore(patches) {
      for (const { file } of patches) cpSync(join(root, file), join(folder, file));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The text with the change. @throws {Error} there is nothing to change, or more than one place */
export function patched(text: string, { file, find, put }: Patch): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`${file} has ${places} places that say: ${find.trim()}`);
  return text.replace(find, () => put);
}
