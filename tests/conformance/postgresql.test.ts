// The state API over `state.postgresql` v2, payment's store in the local profile.
import { stateFeatures } from './features/state.ts';
import { postgresql } from './sets/postgresql.ts';

stateFeatures(postgresql);
