// The kit on PostgreSQL documents, as payment has them.
import { kitFeatures } from '../features/kit.ts';
import { kfake } from '../sets/kfake.ts';
import { postgresql } from '../sets/postgresql.ts';

kitFeatures({ store: postgresql, broker: kfake });
