// The kit on the set of most services in the cloud profile.
import { kitFeatures } from '../features/kit.ts';
import { apacheKafka } from '../sets/apache-kafka.ts';
import { dynamodb } from '../sets/dynamodb.ts';

kitFeatures({ store: dynamodb, broker: apacheKafka });
