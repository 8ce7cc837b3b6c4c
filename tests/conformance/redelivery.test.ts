import { redeliveryFeatures } from './features/redelivery.ts';
import { local } from './sets/local.ts';

redeliveryFeatures(local);
