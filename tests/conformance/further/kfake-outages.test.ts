import { brokerOutages } from '../features/broker-outages.ts';
import { kfake } from '../sets/kfake.ts';

brokerOutages(kfake);
