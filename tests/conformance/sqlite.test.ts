// The state API over `state.sqlite`, the store of most services in the local profile.
import { stateFeatures } from './features/state.ts';
import { sqlite } from './sets/sqlite.ts';

stateFeatures(sqlite);
