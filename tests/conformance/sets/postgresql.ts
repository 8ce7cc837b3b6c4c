// `state.postgresql` v2: payment's store in the local profile, on the runner's own server.
import { startPostgres } from '../postgres.ts';
import { repositoryComponent } from '../resources.ts';
import type { Store } from './set.ts';
import { sqlite } from './sqlite.ts';

export const postgresql: Store = {
  title: 'PostgreSQL v2',
  traits: { ...sqlite.traits, firstWriteOverFirstWrite: 500, firstWriteOverPlainSave: 500, oppositeOrders: 'deadlock' },
  async open(folder) {
    const { server, values } = await startPostgres(folder);
    const named = [
      repositoryComponent('statestore-payment', values, { name: 'statestore' }),
      repositoryComponent('secretstore', values),
    ];
    return { server, resources: () => named, stop: () => server.kill('SIGINT') };
  },
};
