import { brokerFeatures } from '../features/broker.ts';
import { brokerOutages } from '../features/broker-outages.ts';
import { bulkAnswers } from '../features/bulk-answers.ts';
import { deliveries } from '../features/deliveries.ts';
import { apacheKafka } from '../sets/apache-kafka.ts';

brokerFeatures(apacheKafka);
brokerOutages(apacheKafka);
bulkAnswers(apacheKafka);
deliveries(apacheKafka);
