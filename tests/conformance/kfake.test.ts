// The broker of the local profile, as daprd and the kit meet it.
import { brokerFeatures } from './features/broker.ts';
import { kfake } from './sets/kfake.ts';

brokerFeatures(kfake);
