import { outboxFeatures } from './features/outbox.ts';
import { local } from './sets/local.ts';

outboxFeatures(local);
