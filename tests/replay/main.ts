// `npm run replay`: sends the real baskets through the gateway as the tills of four shops would, and compares the
// system's own report with the totals of the data, to the cent.
import { parseArgs } from 'node:util';
import { readBaskets, readExpected, readProducts } from '../../stack/demo-data.ts';
import { Gateway } from '../client/gateway.ts';
import { client, person } from '../client/identity.ts';
import { assertRuns, meshHelp, meshOptions, readSecrets, secretOf, ToolError } from '../client/running-mesh.ts';
import { compareDepartments, salesByDepartment } from './departments.ts';
import { batchesOfCatalogue, defineCatalogue, hasCatalogue, openingReceipts, openStock } from './opening.ts';
import { clock, Progress } from './progress.ts';
import { awaitReport } from './report.ts';
import { dayOf, isSelected, type Selection, selectionOf } from './selection.ts';
import { tableOf } from './table.ts';
import { runTills } from './tills.ts';

const HELP = `npm run replay -- [options]
  --shop <id>          only this shop
  --days <days>        only these days: 7 (the first seven), 2017-01-03, or 2017-01-03..2017-01-09
  --concurrency <n>    clients at work at once (8)
${meshHelp}`;

interface Options {
  readonly url: string;
  readonly concurrency: number;
  readonly selection: Selection;
  readonly partial: boolean;
  readonly secrets: Readonly<Record<string, string>>;
}

const out = process.stdout;
const say = (text = '') => out.write(`${text}\n`);

/** Answers the exit code: 0 all equal, 1 something differs or failed, 2 wrong use, 130 interrupted. */
async function main(argv: readonly string[]): Promise<number> {
  const baskets = readBaskets();
  const options = optionsOf(argv, baskets);
  if (typeof options === 'number') return options;
  const { selection, concurrency, secrets } = options;
  const chosen = baskets.filter((basket) => isSelected(selection, { shopId: basket.shopId, day: dayOf(basket) }));
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const gateway = new Gateway({ baseUrl: options.url, connections: concurrency + 4, patience: 120_000 });
  try {
    await assertRuns(options.url);
    const admin = gateway.as(person('admin@demo.test', secretOf(secrets, 'demo-password')));
    const tills = new Map(
      [...new Set(chosen.map(({ shopId }) => shopId))].map((id) => [
        id,
        gateway.as(client(`till-${id}`, secretOf(secrets, `till-${id}`))),
      ]),
    );
    await open(admin, baskets, new Set(tills.keys()), interrupt.signal);
    if (interrupt.signal.aborted) return interrupted(argv);

    const started = Date.now();
    const bar = new Progress({ total: chosen.length, label: 'baskets', out });
    const till = (shopId: string) => tills.get(shopId) ?? gateway;
    const result = await runTills({
      baskets: chosen,
      concurrency,
      till,
      signal: interrupt.signal,
      step: () => bar.step(),
    });
    bar.end();
    const seconds = (Date.now() - started) / 1000;
    if (interrupt.signal.aborted) return interrupted(argv);
    if (result.replayed > 0)
      say(`${result.replayed} of ${result.done} orders were there from an earlier run: nothing was sold twice`);
    for (const { basketId, reason } of result.failures) say(`basket ${basketId}: ${reason}`);

    say('waiting for the report to catch up');
    const rows = await awaitReport(admin, { expected: readExpected(), selection });
    say();
    for (const line of tableOf(rows)) say(line);
    const shops = new Set(chosen.map(({ shopId }) => shopId));
    const byDepartment = compareDepartments(chosen, readProducts(), await salesByDepartment(admin, selection, shops));
    for (const { group, expected, reported } of byDepartment.differing) {
      say(`${group}: ${reported.units} units, ${reported.net} cents; expected ${expected.units} and ${expected.net}`);
    }
    const equal = rows.filter(({ differing }) => differing.length === 0).length;
    say();
    if (options.partial) say(`compared only ${selection.shopId ?? 'all shops'}, ${selection.from} to ${selection.to}`);
    if (result.failures.length > 0) say(`${result.failures.length} baskets failed`);
    say(
      `${equal} of ${rows.length} rows equal; ${result.done} orders in ${clock(seconds)} (${(result.done / seconds).toFixed(1)} orders/s with ${concurrency} clients)`,
    );
    const { groups, differing } = byDepartment;
    say(`${groups - differing.length} of ${groups} groups of shop, day and department equal`);
    return equal === rows.length && differing.length === 0 && result.failures.length === 0 ? 0 : 1;
  } finally {
    await gateway.close();
  }
}

async function open(
  admin: Gateway,
  baskets: Parameters<typeof openingReceipts>[0],
  shops: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const receipts = openingReceipts(baskets).filter(({ shopId }) => shops.has(shopId));
  // A repeat has nothing to define: a receipt that is booked names products that were there before it.
  if (receipts[0] && (await hasCatalogue(admin, receipts[0]))) say('products are there already');
  else {
    const bar = new Progress({ total: batchesOfCatalogue(), label: 'products', out });
    const written = await defineCatalogue(admin, () => bar.step());
    bar.end();
    say(`${written} products defined`);
  }
  for (const receipt of receipts) {
    if (signal.aborted) return;
    await openStock(admin, receipt);
    say(`opening stock of ${receipt.shopId}: ${receipt.lines.length} skus`);
  }
}

function interrupted(argv: readonly string[]): number {
  const again = argv.length > 0 ? ` -- ${argv.join(' ')}` : '';
  say(
    `\ninterrupted. Go on with: npm run replay${again}\nWhat was sold stays sold: the same baskets have the same keys and are not sold twice.`,
  );
  return 130;
}

function optionsOf(argv: readonly string[], baskets: Parameters<typeof selectionOf>[1]): Options | number {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      shop: { type: 'string' },
      days: { type: 'string' },
      concurrency: { type: 'string', default: '8' },
      ...meshOptions,
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    say(HELP);
    return 0;
  }
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256)
    throw new Error('--concurrency takes a number from 1 to 256');
  const { shop, days } = values;
  return {
    url: values.url,
    concurrency,
    selection: selectionOf({ shop, days }, baskets),
    partial: shop !== undefined || days !== undefined,
    secrets: readSecrets(values),
  };
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${error instanceof ToolError ? '' : `${HELP}\n`}`);
    process.exitCode = 2;
  }
}
