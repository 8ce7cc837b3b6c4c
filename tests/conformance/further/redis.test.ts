import { stateFeatures } from '../features/state.ts';
import { redis } from '../sets/redis.ts';

stateFeatures(redis, { only: 'a cache' });
