// `state.aws.dynamodb` on the emulator dynoxide, as the cloud profile has it locally.
import { dynoxideProcess, emulatorCredentials, provisionTables } from '../../../stack/dynoxide.ts';
import { freePort } from '../ports.ts';
import { Process } from '../process.ts';
import { toolPath } from '../programs.ts';
import { repositoryComponent } from '../resources.ts';
import type { Store } from './set.ts';

export const dynamodb: Store = {
  title: 'DynamoDB API',
  traits: {
    firstWriteOverFirstWrite: 500,
    firstWriteOverPlainSave: 500,
    plainSaveOverFirstWrite: 204,
    malformedEtag: 409,
    etagOfAbsent: 409,
    etagOfAnother: 409,
    etagOfFormerLife: 409,
    refusedTransaction: 'nothing',
    oppositeOrders: 'one waits for the other',
    operations101: 400,
    jsonInTransaction: 204,
    etagOnDeleteInTransaction: 'ignored',
    value780: 500,
    firstWriteOverExpired: 500,
    timeToLiveAfterPlainSave: 'gone',
    afterKill: 'everything',
    capabilities: ['ACTOR', 'ETAG', 'TRANSACTIONAL', 'TTL'],
  },
  async open(folder) {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const program = toolPath('dynoxide');
    const server = new Process(dynoxideProcess({ program, dataDir: folder, port, logFile: '', env: {} }));
    await server.start();
    await provisionTables(endpoint, ['order']);
    const values = { DYNAMODB_ENDPOINT: endpoint };
    const statestore = repositoryComponent('statestore-order', values, { profile: 'cloud', name: 'statestore' });
    return { server, env: emulatorCredentials, resources: () => [statestore], stop: () => server.kill() };
  },
};
