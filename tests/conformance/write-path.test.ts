import { writePathFeatures } from './features/write-path.ts';
import { local } from './sets/local.ts';

writePathFeatures(local);
