// `npm run history`: tells on the terminal what happened to an order, a payment or a stock item, and why.
import { parseArgs } from 'node:util';
import type { Gateway } from '../client/gateway.ts';
import { asAdmin, meshHelp, meshOptions, ToolError, type WhichMesh } from '../client/running-mesh.ts';
import { movementsOf } from './movements.ts';
import { type Part, partOfPayment, partOfStock, partsOfOrder } from './sources.ts';
import { missing, storyOf } from './story.ts';

const HELP = `npm run history -- <what> [options]
  order <id>           the order with its stock, payment and mails
  payment <id>         the payment alone
  stock <shop> <sku>   every movement of a sku at a shop
${meshHelp}`;

/** Milliseconds for a service that is just being restarted. */
const PATIENCE = 8_000;

/** What is asked for, and how it is told. */
interface Question {
  readonly name: string;
  ask(gateway: Gateway): Promise<readonly Part[]>;
  tell(parts: readonly Part[]): readonly string[];
}

/** @throws {Error} it is no question */
export function questionOf([what, ...names]: readonly string[]): Question {
  const [first = '', second = ''] = names;
  const wanted = what === 'stock' ? 2 : 1;
  if (names.length !== wanted || names.includes('')) throw new Error('Say what to tell of.');
  switch (what) {
    case 'order':
      return { name: `order ${first}`, ask: (gateway) => partsOfOrder(gateway, first), tell: storyOf };
    case 'payment':
      return {
        name: `payment ${first}`,
        ask: async (gateway) => [await partOfPayment(gateway, first)],
        tell: (parts) => [...storyOf(parts), ...orderOf(parts)],
      };
    case 'stock':
      return {
        name: `stock of ${second} at ${first}`,
        ask: async (gateway) => [await partOfStock(gateway, first, second)],
        tell: (parts) => [...movementsOf(parts.flatMap(({ events }) => events)), ...missing(parts)],
      };
    default:
      throw new Error(`There is no history of "${what}".`);
  }
}

/** Where the rest of a payment's story is. */
function orderOf(parts: readonly Part[]): string[] {
  const orderId = parts.flatMap(({ events }) => events)[0]?.data.orderId;
  return orderId === undefined ? [] : [`The rest of the story: npm run history -- order ${orderId}`];
}

/** Tells it; answers the exit code: 0 all told, 1 unknown or a part is missing. @throws {ToolError | ProblemError} */
export async function tell(words: readonly string[], mesh: WhichMesh, say: (line: string) => void): Promise<number> {
  const question = questionOf(words);
  const gateway = await asAdmin(mesh, { patience: PATIENCE });
  try {
    const parts = await question.ask(gateway);
    const gaps = missing(parts);
    if (parts.every(({ events }) => events.length === 0)) {
      for (const gap of gaps) say(gap);
      say(gaps.length > 0 ? `Nothing more is known of ${question.name} now.` : `There is no ${question.name}.`);
      return 1;
    }
    say(question.name);
    for (const line of question.tell(parts)) say(line);
    return gaps.length > 0 ? 1 : 0;
  } finally {
    await gateway.close();
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const options = { ...meshOptions, help: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  if (!values.help) return tell(positionals, values, say);
  say(HELP);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    const { message } = error as Error;
    const isUse = !(error instanceof ToolError || (error as Error).name === 'ProblemError');
    process.stderr.write(`${message}\n${isUse ? `${HELP}\n` : ''}`);
    process.exitCode = 2;
  }
}
