// `state.sqlite`: the store of most services in the local profile. Each sidecar opens the file itself.
import { sqliteStore } from '../resources.ts';
import type { Store } from './set.ts';

export const sqlite: Store = {
  title: 'SQLite',
  traits: {
    firstWriteOverFirstWrite: 409,
    firstWriteOverPlainSave: 409,
    plainSaveOverFirstWrite: 204,
    malformedEtag: 409,
    etagOfAbsent: 409,
    etagOfAnother: 409,
    etagOfFormerLife: 409,
    refusedTransaction: 'nothing',
    oppositeOrders: 'one waits for the other',
    operations101: 204,
    jsonInTransaction: 204,
    etagOnDeleteInTransaction: 'heeded',
    value780: 204,
    firstWriteOverExpired: 204,
    timeToLiveAfterPlainSave: 'gone',
    afterKill: 'everything',
    capabilities: ['ACTOR', 'ETAG', 'KEYS_LIKE', 'TRANSACTIONAL', 'TTL'],
  },
  open: async (folder) => ({
    server: undefined,
    resources: (appId) => [sqliteStore(folder, appId)],
    stop: async () => undefined,
  }),
};
