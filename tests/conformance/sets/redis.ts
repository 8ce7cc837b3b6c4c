// `state.redis` without persistence: a cache. Its traits are what must not be relied on.
import { accepts } from '../../../stack/probe.ts';
import { freePort } from '../ports.ts';
import { Process } from '../process.ts';
import { toolPath } from '../programs.ts';
import { component } from '../resources.ts';
import type { Store } from './set.ts';

export const redis: Store = {
  title: 'Redis (a cache)',
  traits: {
    firstWriteOverFirstWrite: 500,
    firstWriteOverPlainSave: 204,
    plainSaveOverFirstWrite: 500,
    malformedEtag: 400,
    etagOfAbsent: 204,
    etagOfAnother: 204,
    etagOfFormerLife: 204,
    refusedTransaction: 'the other operations',
    oppositeOrders: 'one waits for the other',
    operations101: 204,
    jsonInTransaction: 500,
    etagOnDeleteInTransaction: 'heeded',
    value780: 204,
    firstWriteOverExpired: 204,
    timeToLiveAfterPlainSave: 'kept',
    afterKill: 'nothing',
    capabilities: ['ACTOR', 'ETAG', 'KEYS_LIKE', 'TRANSACTIONAL', 'TTL'],
  },
  async open(folder) {
    const port = await freePort();
    const server = new Process({
      file: toolPath('redis-server'),
      args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
      env: {},
      isReady: () => accepts(port),
    });
    await server.start();
    const redisHost = `127.0.0.1:${port}`;
    const statestore = component('statestore', 'state.redis', { redisHost, redisPassword: '', keyPrefix: 'none' });
    return { server, resources: () => [statestore], stop: () => server.kill() };
  },
};
