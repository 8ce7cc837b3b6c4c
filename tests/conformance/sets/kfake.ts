// kfake: the broker of the local profile.
import { brokerProcess } from '../../../stack/broker.ts';
import { Process } from '../process.ts';
import { programPath } from '../programs.ts';
import type { Broker } from './set.ts';

export const kfake: Broker = {
  title: 'kfake',
  traits: { unknownTopic: 500 },
  async open({ folder, port, topics }) {
    const program = programPath('kfake');
    return new Process(
      brokerProcess({ program, dataDir: folder, port, partitions: 3, moreTopics: topics, logFile: '', env: {} }),
    );
  },
};
