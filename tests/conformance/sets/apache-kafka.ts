// Apache Kafka as one node: the broker of the cloud profile.
import { kafkaProcess } from '../../../stack/kafka.ts';
import { freePort } from '../ports.ts';
import { Process } from '../process.ts';
import { programPath, toolPath } from '../programs.ts';
import type { Broker } from './set.ts';

export const apacheKafka: Broker = {
  title: 'Apache Kafka',
  traits: { unknownTopic: 500 },
  async open({ folder, port, topics }) {
    const { PATH = '', HOME = '', JAVA_HOME } = process.env;
    return new Process(
      kafkaProcess({
        program: toolPath('kafka'),
        kfake: programPath('kfake'),
        dataDir: folder,
        port,
        controllerPort: await freePort(),
        moreTopics: topics,
        partitions: 3,
        logFile: '',
        env: { PATH, HOME, ...(JAVA_HOME && { JAVA_HOME }) },
      }),
    );
  },
};
