// The sidecar of one simulated process: what the services call, in memory, with the faults of the day. It throws what the
// real client makes of daprd's answers (services/kit/dapr/sidecar.ts).
import type { Publication, Removal, Reply, Sidecar, Stored, Write } from '../../services/kit/dapr/sidecar.ts';
import { Conflict, Fault } from '../../services/kit/errors.ts';
import type { Documents, Guarded } from './documents.ts';
import type { SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

type Door = Pick<
  Sidecar,
  | 'get'
  | 'getBulk'
  | 'save'
  | 'saveEach'
  | 'delete'
  | 'transact'
  | 'publish'
  | 'publishRaw'
  | 'invoke'
  | 'bind'
  | 'ready'
  | 'close'
>;

/** How old a bulk read may be, in milliseconds: stores promise nothing (decision 0001). */
const STALE = 3_000;
/** Milliseconds of the slowest calls; the client gives up after five seconds. */
const PATIENCE = 5_000;
/** Of a document. */
const USUAL_BYTES = 2_000;
/** Milliseconds. */
const LONGEST_FREEZE = 20_000;

export function sidecarOf(world: World, owner: SimulatedProcess): Sidecar {
  const { time, random, weather, broker } = world;
  const documents = (store: string): Documents => world.store(store);
  let frozenUntil = 0;

  /** One call: it travels, is done or not, and is answered or not. A dead process hears no answer. */
  function call<T>(what: () => string, effect: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const arrive = () => {
        if (owner.dead) return;
        if (owner.still) return void time.schedule(owner.stillFor, arrive);
        const frozenFor = frozenUntil - time.now;
        if (frozenFor > PATIENCE) {
          time.schedule(frozenFor + random.between(0, 50), () => void unheard(effect)); // in any order
          return void answer(PATIENCE, () => reject(new Fault(`${what()} takes too long`)));
        }
        if (frozenFor > 0) return void time.schedule(frozenFor, arrive);
        const fate = weather.fate();
        world.trace?.(`${owner.name} ${what()}${fate === 'answered' ? '' : `: ${fate}`}`);
        if (fate === 'crash before') return owner.crash();
        if (fate === 'lost')
          return void answer(random.between(1, PATIENCE), () => reject(new Fault(`${what()} was lost`)));
        if (fate === 'freeze') {
          frozenUntil = time.now + random.between(PATIENCE, LONGEST_FREEZE);
          return arrive();
        }
        let done: () => void;
        try {
          const value = effect();
          done = () => resolve(value);
        } catch (error) {
          done = () => reject(error as Error);
        }
        if (fate === 'crash after') return owner.crash();
        if (fate === 'pause') owner.stand(random.between(1_000, 40_000));
        if (fate === 'answer lost') done = () => reject(new Fault(`the answer to ${what()} was lost`));
        if (fate === 'answered') done();
        else answer(random.between(5, fate === 'slow' ? 800 : PATIENCE), done);
      };
      time.schedule(random.between(0.2, 2.5), arrive);
    });
  }

  function answer(delay: number, done: () => void): void {
    time.schedule(delay, () => {
      if (owner.dead) return;
      if (owner.still) answer(owner.stillFor, done);
      else done();
    });
  }

  const door: Door = {
    get: <T>(store: string, key: string) =>
      call(
        () => `get ${key}`,
        () => documents(store).read<T>(key),
      ),
    getBulk: <T>(store: string, keys: readonly string[]) =>
      call(
        () => `bulk get ${keys.join(' ')}`,
        () => {
          const found = new Map<string, Stored<T>>();
          for (const key of keys) {
            const late = weather.happens('staleRead');
            const stored = late ? documents(store).readLate<T>(key, STALE) : documents(store).read<T>(key);
            if (stored) found.set(key, stored);
          }
          return found;
        },
      ),
    save: (store, key, value, guard) =>
      call(
        () => `save ${key}`,
        () => {
          if (documents(store).write([{ key, value, guard }])) return;
          // PostgreSQL answers 500 to a refused first write, which cannot be told from a fault.
          if (guard === 'new' && store === 'statestore-payment') throw new Fault(`save of ${key} refused`);
          throw new Conflict(`${key} has another version`);
        },
      ),
    saveEach: (store, all) =>
      call(
        () => `save ${all.map(({ key }) => key).join(' ')}`,
        () => {
          for (const { key, value } of all) documents(store).write([{ key, value, guard: 'any' }]);
        },
      ),
    delete: (store, key) =>
      call(
        () => `delete ${key}`,
        () => void documents(store).write([{ key, remove: true, guard: 'any' }]),
      ),
    transact: (store, writes, mostBytes) =>
      call(
        () => `transact ${writes.map(({ key }) => key).join(' ')}`,
        () => {
          if (!documents(store).write(writes.map(guarded), mostBytes)) throw new Conflict(`${store} refused`);
          return writes.length * USUAL_BYTES;
        },
      ),
    publish: (_, topic, publications) =>
      publications.length === 0
        ? Promise.resolve([])
        : call(
            () => `publish ${namesOf(publications)}`,
            () => take(topic, publications),
          ),
    publishRaw: (_, topic, value, partitionKey) =>
      call(
        () => `bury in ${topic}`,
        () => broker.append(topic, JSON.stringify(value), partitionKey),
      ),
    invoke: (appId, method, path, { body, timeout = PATIENCE } = {}) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const reach = () => world.invoke(appId, method, path, text === undefined ? undefined : JSON.parse(text));
      return new Promise<Reply>((resolve, reject) => {
        answer(timeout, () => reject(new Fault(`${appId} gave no answer in time`)));
        const replied = call(
          () => `invoke ${appId} ${path} ${text ?? ''}`,
          () => {
            // daprd repeats a call that takes too long.
            if (weather.happens('doubledCall')) time.schedule(random.between(0, 200), () => void reach());
            return reach();
          },
        );
        replied.then((reply) => answer(random.between(0.2, 2.5), () => resolve(reply)), reject);
      });
    },
    bind: (name, operation, metadata, data) =>
      call(
        () => `bind ${name}`,
        () => {
          const body = Buffer.from(JSON.stringify(world.bind(name, operation, metadata, data) ?? null));
          return { status: 200, headers: {}, body };
        },
      ),
    ready: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  };
  return door as unknown as Sidecar;

  function take(topic: string, publications: readonly Publication[]): number[] {
    const partly = weather.happens('partialPublish');
    const failed = publications.flatMap((_, index) => (partly && random.chance(0.3) ? [index] : []));
    for (const [index, { event, partitionKey }] of publications.entries()) {
      if (!failed.includes(index)) broker.append(topic, JSON.stringify(event), partitionKey);
    }
    return failed;
  }
}

/** Does what nobody waits for. */
async function unheard(effect: () => unknown): Promise<void> {
  try {
    await effect();
  } catch {} // its caller gave up long ago
}

function guarded(write: Write | Removal): Guarded {
  if ('remove' in write) return { key: write.key, remove: true, guard: 'any' };
  return { key: write.key, value: write.value, guard: write.etag === undefined ? 'new' : { etag: write.etag } };
}

function namesOf(publications: readonly Publication[]): string {
  return publications
    .map(({ event }) => {
      const { stream, version } = (event as { data: { stream: string; version: number } }).data;
      return `${stream}@${version}`;
    })
    .join(' ');
}
