// The set of most services in the local profile.
import { kfake } from './kfake.ts';
import type { ComponentSet } from './set.ts';
import { sqlite } from './sqlite.ts';

export const local: ComponentSet = { store: sqlite, broker: kfake };
