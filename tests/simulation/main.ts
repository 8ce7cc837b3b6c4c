// `npm run simulate -- --orders 100000 --seed 7`: many episodes on two threads. Ends with 1 when an invariant is broken, and
// says with which seed it comes again, in the smallest form that was found.
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type EpisodeResult, tell } from './episode.ts';
import { seedOf } from './random.ts';
import { reproduce } from './reproduce.ts';
import type { Range } from './worker.ts';

const HELP = `Simulates the real services of order, inventory, payment and notification in one process, with everything
that can go wrong, and checks the invariants.

  --orders N     orders in all (10000)
  --seed S       what everything is drawn from (1)
  --size N       orders of one episode (1000)
  --threads N    (2)
  --brief        without the search for a smaller case
  --episode E    one episode, by the seed that a failure named; with --orders as its size
`;

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    size: { type: 'string', default: '1000' },
    threads: { type: 'string', default: '2' },
    episode: { type: 'string' },
    brief: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: 'orders' | 'seed' | 'size' | 'threads' | 'episode', least: number): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= least) return number;
  console.error(`--${name} must be a whole number from ${least}, not ${values[name]}\n\n${HELP}`);
  process.exit(2);
}

if (values.help) console.log(HELP);
else if (values.episode !== undefined) await again(whole('episode', 0), whole('orders', 1));
else await simulate();

/** One episode with everything that happened in it. */
async function again(seed: number, orders: number): Promise<void> {
  const found = await reproduce({ seed, orders }, [orders]);
  if (found) console.log(found.words);
  else console.log(`Episode ${seed} with ${orders} orders: every invariant holds.`);
  process.exitCode = found ? 1 : 0;
}

async function simulate(): Promise<void> {
  const [orders, seed, size, threads] = [whole('orders', 1), whole('seed', 0), whole('size', 1), whole('threads', 1)];
  const started = performance.now();
  const sizes = Array.from({ length: Math.ceil(orders / size) }, (_, n) => Math.min(size, orders - n * size));
  const episodes = sizes.map((each, index) => ({ seed: seedOf(seed, index), orders: each }));
  const done: EpisodeResult[] = [];
  const queue = [...episodes];
  await Promise.all(Array.from({ length: Math.min(threads, episodes.length) }, () => thread(queue, done)));
  const seconds = (performance.now() - started) / 1_000;
  const sum = (of: (result: EpisodeResult) => number) => done.reduce((total, each) => total + of(each), 0);
  const broken = done.filter(({ violations }) => violations.length > 0);
  console.log(
    `${sum((each) => each.orders)} orders in ${done.length} episodes, ${sum(({ messages }) => messages)} messages, ` +
      `${sum(({ crashes }) => crashes)} crashes in ${seconds.toFixed(1)} s: ${broken.length === 0 ? 'every invariant holds' : `${broken.length} episodes broke an invariant`} (seed ${seed})`,
  );
  const [first] = broken.sort((a, b) => a.orders - b.orders);
  if (!first) return;
  process.exitCode = 1;
  console.log(tell(first.violations));
  if (values.brief) return;
  console.log((await reproduce(first))?.words ?? `It does not come again with --episode ${first.seed}.`);
}

/** A thread that takes episodes from the queue until it is empty, or one of them has failed. */
function thread(queue: Range[], done: EpisodeResult[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      execArgv: ['--no-warnings'],
      resourceLimits: { maxYoungGenerationSizeMb: 128 }, // a fifth less collecting
    });
    const next = () => {
      const episode = done.some(({ violations }) => violations.length > 0) ? undefined : queue.shift();
      if (episode) worker.postMessage(episode);
      else void worker.terminate().then(() => resolve());
    };
    worker.on('message', (result: EpisodeResult) => {
      done.push(result);
      next();
    });
    worker.once('error', reject);
    next();
  });
}
