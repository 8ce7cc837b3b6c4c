import { reactorFeatures } from './features/reactor.ts';
import { local } from './sets/local.ts';

reactorFeatures(local);
