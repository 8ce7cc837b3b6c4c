// Staff at work while the mesh is hurt: receipts with cost, write-offs, counts, transfers, and questions to the reports.
import { setTimeout as sleep } from 'node:timers/promises';
import { OTHER_SHOP, SHOP, WEB } from '../acceptance/world.ts';
import type { Gateway } from '../client/gateway.ts';
import { ProblemError } from '../client/problem.ts';
import { PLENTY, USUAL } from './orders.ts';
import { type Asked, type Patience, untilAnswered } from './patience.ts';
import { between, pick, type Random, randomOf, shuffled, whole } from './random.ts';

const works = ['receipt', 'write-off', 'count', 'transfer', 'in transit', 'question'] as const;
export type WorkKind = (typeof works)[number];

export interface PlannedWork {
  readonly kind: WorkKind;
  readonly key: string;
  /** Milliseconds from the start of the load. */
  readonly at: number;
  readonly asked: Asked;
  /** What is booked at the other shop, and how many milliseconds later; nothing: the goods came with the transfer. */
  readonly arrival?: { readonly after: number; readonly body: unknown };
}

/** What a clerk was told. */
interface Done {
  readonly planned: PlannedWork;
  answer?: { readonly id: string } | ProblemError | undefined;
  arrived?: { readonly id: string } | ProblemError | undefined;
}

const SHOPS = [SHOP, OTHER_SHOP, WEB];
const COUNT_IS_OFF_BY = 40;
const questions: readonly Pick<Asked, 'path' | 'query'>[] = [
  { path: '/api/v1/reports/sales', query: { from: '2017-01-01', to: '2099-12-31', groupBy: 'shop,day' } },
  { path: '/api/v1/reports/sales', query: { from: '2017-01-01', to: '2099-12-31', groupBy: 'department' } },
  { path: '/api/v1/reports/stock', query: { shopId: SHOP } },
  { path: '/api/v1/reports/trial-balance' },
  { path: '/api/v1/audit', query: { limit: '20' } },
  { path: '/api/v1/orders', query: { shopId: SHOP, limit: '20' } },
];

/** The work of a seed: the same for the same seed. */
export function planWork(seed: number, count: number, length: number): PlannedWork[] {
  const random = randomOf(seed, 'work');
  return Array.from({ length: Math.round(count) }, (_, index) =>
    planOne(random, works[index % works.length] as WorkKind, `chaos-${seed}-work-${index}`, between(random, 0, length)),
  ).sort((a, b) => a.at - b.at);
}

function planOne(random: Random, kind: WorkKind, key: string, at: number): PlannedWork {
  const skus = shuffled(random, USUAL).slice(0, whole(random, 1, 3));
  const [shopId, toShopId] = shuffled(random, SHOPS);
  const units = whole(random, 2, 6);
  const lines = <T>(of: (sku: string) => T) => skus.map(of);
  const book = (what: string, body: object): PlannedWork => ({
    ...{ kind, key, at: Math.round(at) },
    asked: { path: `/api/v1/inventory/${what}`, body: { shopId, reference: key, ...body }, key },
  });
  switch (kind) {
    case 'receipt':
      return book('receipts', { currency: 'USD', lines: lines((sku) => ({ sku, quantity: units, unitCost: 99 })) });
    case 'write-off':
      return book('write-offs', { lines: lines((sku) => ({ sku, quantity: 1, reason: 'expired' })) });
    case 'count': {
      const off = whole(random, -COUNT_IS_OFF_BY, COUNT_IS_OFF_BY);
      return book('counts', { lines: lines((sku) => ({ sku, counted: PLENTY + off })) });
    }
    case 'transfer':
      return book('transfers', { toShopId, lines: lines((sku) => ({ sku, quantity: units })) });
    case 'in transit': {
      const sent = book('transfers', { toShopId, receive: false, lines: lines((sku) => ({ sku, quantity: units })) });
      const body = { lines: lines((sku) => ({ sku, received: units - whole(random, 0, 1), damaged: 1 })) };
      return { ...sent, arrival: { after: between(random, 0, 3_000), body } };
    }
    case 'question':
      return { ...{ kind, key, at: Math.round(at) }, asked: { method: 'GET', key, ...pick(random, questions) } };
  }
}

export class Clerks {
  readonly #staff: Gateway;
  readonly #patience: Patience;
  readonly #under: Promise<void>[] = [];
  readonly #done: Done[] = [];

  constructor(staff: Gateway, patience: Patience) {
    this.#staff = staff;
    this.#patience = patience;
  }

  /** Does the work at its times; resolves when the last was begun. */
  async work(planned: readonly PlannedWork[]): Promise<void> {
    const start = Date.now();
    for (const each of planned) {
      await sleep(Math.max(0, start + each.at - Date.now()));
      this.#under.push(this.#do(each));
    }
  }

  /** Resolves when every clerk was answered or has lost patience. */
  async answered(): Promise<void> {
    await Promise.all(this.#under);
  }

  /** How many works of each kind were acknowledged. */
  get outcomes(): Record<string, number> {
    const told = this.#done.filter(({ answer }) => answer && !(answer instanceof ProblemError));
    const kinds = Map.groupBy(told, ({ planned }) => `${planned.kind} done`);
    return Object.fromEntries([...kinds].map(([kind, of]) => [kind, of.length]));
  }

  /** Asks for everything again with its key: it has to be what it was. Answers a line for each that is wrong. */
  async judge(skewed: boolean): Promise<{ readonly subject: string; readonly what: string }[]> {
    const judged = await Promise.all(this.#done.map((done) => this.#judgeOne(done, skewed)));
    return judged.flatMap((lines, index) => {
      const { kind, key } = (this.#done[index] as Done).planned;
      return lines.map((what) => ({ subject: `${kind} ${key}`, what }));
    });
  }

  async #do(planned: PlannedWork): Promise<void> {
    const done: Done = { planned };
    this.#done.push(done);
    done.answer = await this.#ask(planned.asked);
    const { answer } = done;
    if (!planned.arrival || !answer || answer instanceof ProblemError) return;
    await sleep(planned.arrival.after);
    done.arrived = await this.#ask(arrivalOf(planned, answer.id));
  }

  async #judgeOne({ planned, answer, arrived }: Done, skewed: boolean): Promise<string[]> {
    if (!answer) return ['was never answered'];
    if (answer instanceof ProblemError) return skewed ? [] : [`was refused: ${answer.message}`];
    if (planned.kind === 'question') return [];
    const again = await this.#ask(planned.asked);
    const same = again && !(again instanceof ProblemError) && again.id === answer.id;
    const wrong = same ? [] : [`was acknowledged as ${answer.id}; its repeat is answered ${toldOf(again)}`];
    if (!planned.arrival) return wrong;
    if (!arrived) return [...wrong, 'its arrival was never answered'];
    if (arrived instanceof ProblemError) return skewed ? wrong : [...wrong, `its arrival: ${arrived.message}`];
    const path = `/api/v1/inventory/transfers/${answer.id}`;
    const transfer = await untilAnswered<{ status: string }>(
      this.#staff,
      { method: 'GET', path, key: planned.key },
      this.#patience,
    );
    const status = transfer instanceof ProblemError ? transfer.message : transfer?.status;
    return status === 'received' ? wrong : [...wrong, `its arrival was acknowledged, and it is ${status}`];
  }

  #ask(asked: Asked): Promise<{ id: string } | ProblemError | undefined> {
    return untilAnswered(this.#staff, asked, this.#patience);
  }
}

const arrivalOf = ({ key, arrival }: PlannedWork, id: string): Asked => ({
  ...{ path: `/api/v1/inventory/transfers/${id}/receipts`, body: arrival?.body, key: `${key}-arrival` },
});

const toldOf = (answer: { id: string } | ProblemError | undefined) =>
  answer instanceof ProblemError ? answer.message : String(answer?.id);
