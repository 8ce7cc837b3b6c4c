import { deliveries } from './features/deliveries.ts';
import { kfake } from './sets/kfake.ts';

deliveries(kfake);
