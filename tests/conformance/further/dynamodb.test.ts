import { stateFeatures } from '../features/state.ts';
import { dynamodb } from '../sets/dynamodb.ts';

stateFeatures(dynamodb);
