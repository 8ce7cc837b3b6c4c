// What history costs: how late the views are and what they use at half the peak, questions to a system of a thousand
// orders beside one of many, and a view built anew from all of them.
import { setTimeout as pause } from 'node:timers/promises';
import { awaitRebuilt, rebuildPath } from '../client/rebuild.ts';
import { type Figures, figuresOf } from './figures.ts';
import { runLoad } from './load.ts';
import { type QuestionName, questionNames } from './questions.ts';
import { type Bench, progress } from './rounds.ts';
import type { Subject } from './subject.ts';
import { table } from './tables.ts';
import { measure } from './window.ts';

/** Of one question: milliseconds; CPU of all processes for one of them, without what they use when idle. */
export interface Asked {
  readonly p50: number;
  readonly p95: number;
  readonly cpu: number;
}

export interface Rebuilt {
  readonly events: number;
  readonly seconds: number;
  readonly equal: boolean;
}

export interface History {
  readonly orders: number;
  readonly young: Readonly<Record<QuestionName, Asked>>;
  readonly old: Readonly<Record<QuestionName, Asked>>;
  /** At half the peak. `within`: share of events that all views had so many seconds after their commit. */
  readonly half: { readonly rate: number; readonly events: number; readonly within: Readonly<Record<string, number>> };
  /** CPU of report, its sidecar and all of PostgreSQL, as a share of what an order costs. */
  readonly viewShare: number;
  readonly rebuilds: Readonly<Record<'sales' | 'audit', Rebuilt>>;
}

/** Orders of a young system. */
const YOUNG = 1_000;
/** Questions a second: nobody waits for the one before. */
const RATE = 20;
const SECONDS = 12;
const CLIENTS = 32;

/** Makes so many orders, half of them of one busy item. @throws {Error} the subject takes no questions */
export async function history(bench: Bench, orders: number): Promise<History> {
  const subject = bench.subjects.find(({ name }) => name === 'ours') as Subject;
  const first = await place(subject, YOUNG);
  const young = await askAll(bench, subject);
  const { figures, lag } = await atHalfLoad(bench, subject, first.rate / 2);
  progress('bringing in the whole catalogue');
  await subject.fillCatalogue();
  await place(subject, orders - YOUNG - figures.done);
  await untilFollowed(subject);
  const old = await askAll(bench, subject);
  return {
    orders,
    young,
    old,
    ...lag,
    viewShare: shareOf(figures),
    rebuilds: { sales: await rebuild(subject, 'sales'), audit: await rebuild(subject, 'audit') },
  };
}

async function place(subject: Subject, orders: number): Promise<{ readonly rate: number }> {
  const [spread, busy] = [await subject.operation('checkout-1'), await subject.operation('hot-sku')];
  let rate = 0;
  for (let done = 0; done < orders; ) {
    const seconds = Math.min(30, Math.max(5, (orders - done) / 80));
    const result = await runLoad({ clients: CLIENTS, seconds }, (n) => (n % 2 === 0 ? busy(n) : spread(n)));
    if (result.done === 0) throw new Error(`no order goes through: ${result.firstError}`);
    done += result.done + result.late;
    rate = result.done / result.seconds;
    progress(`${done} of ${orders} orders, ${rate.toFixed(1)}/s, ${result.failed} failed`);
  }
  return { rate };
}

/** Many clients without a pause leave the views behind: what they catch up with is no part of a question. */
async function untilFollowed(subject: Subject): Promise<void> {
  for (;;) {
    const answer = await subject.mesh.sidecar('report', '/internal/report/lag', {
      headers: { 'dapr-app-id': 'report' },
    });
    const { views } = (await answer.json()) as { views: { behind: number }[] };
    const behind = Math.max(...views.map((view) => view.behind));
    progress(`the views are ${behind} events behind`);
    if (behind === 0) return;
    await pause(5_000);
  }
}

async function askAll(bench: Bench, subject: Subject): Promise<Record<QuestionName, Asked>> {
  const answers: Partial<Record<QuestionName, Asked>> = {};
  for (const name of questionNames) {
    const operation = subject.questions?.[name];
    if (!operation) throw new Error(`${subject.name} takes no questions`);
    const idle = bench.idle.get(subject) ?? 0;
    const { result, window } = await measure(subject, bench.subjects, idle, () =>
      runLoad({ rate: RATE, seconds: SECONDS }, operation),
    );
    if (result.failed > 0) throw new Error(`${name}: ${result.firstError}`);
    const { cpu, cpuOf } = figuresOf(result, window, { rate: RATE, seconds: SECONDS });
    const at = (percentile: number) => result.latency.percentile(percentile) / 1_000;
    answers[name] = { p50: at(50), p95: at(95), cpu: cpu - (idle * window.seconds * 1_000) / result.done };
    progress(`${name}: p95 ${at(95).toFixed(1)} ms, ${answers[name].cpu.toFixed(2)} ms CPU (${mostOf(cpuOf)})`);
  }
  return answers as Record<QuestionName, Asked>;
}

/** Who used most of it, so that work that is no part of the question has a name. */
function mostOf(cpuOf: Figures['cpuOf']): string {
  const most = Object.entries(cpuOf).sort(([, a], [, b]) => b - a);
  return most
    .slice(0, 3)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
    .join(', ');
}

async function atHalfLoad(bench: Bench, subject: Subject, rate: number) {
  const operation = await subject.operation('checkout-1');
  const load = { rate, seconds: 60 };
  const before = await lags(subject);
  const { result, window } = await measure(subject, bench.subjects, bench.idle.get(subject) ?? 0, () =>
    runLoad(load, operation),
  );
  const after = await lags(subject);
  const since = (bound: string) => (after.get(bound) ?? 0) - (before.get(bound) ?? 0);
  const events = since('+Inf');
  progress(`of ${events} events ${since('1')} were in every view within a second`);
  const within = Object.fromEntries(['0.5', '1', '2.5', '5'].map((bound) => [bound, since(bound) / events]));
  return { figures: figuresOf(result, window, load), lag: { half: { rate, events, within } } };
}

/** Events by upper bound in seconds, from report's own histogram. */
async function lags(subject: Subject): Promise<Map<string, number>> {
  const { app } = subject.mesh.portsOf('report');
  const text = await (await fetch(`http://127.0.0.1:${app}/metrics`)).text();
  const buckets = text.matchAll(/^report_view_lag_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm);
  return new Map([...buckets].map(([, bound = '', count]) => [bound, Number(count)]));
}

/** All of PostgreSQL, so that the share is rather too large: payments are there too. */
export function shareOf({ cpu, cpuOf }: Pick<Figures, 'cpu' | 'cpuOf'>): number {
  return ['report', 'report-dapr', 'postgres'].reduce((sum, name) => sum + (cpuOf[name] ?? 0), 0) / cpu;
}

async function rebuild({ staff }: Subject, view: string): Promise<Rebuilt> {
  if (!staff) throw new Error('nobody may rebuild a view');
  await staff.call('POST', rebuildPath(view));
  const { startedAt, finishedAt, end, hash, liveHash } = await awaitRebuilt(staff, view, { within: 600_000 });
  const seconds = (Date.parse(finishedAt ?? '') - Date.parse(startedAt)) / 1_000;
  return { events: end, seconds, equal: hash === liveHash };
}

/** The report as a person reads it. */
export function historyText({ orders, young, old, half, viewShare, rebuilds }: History): string {
  const rows = questionNames.map((name) => {
    const [a, b] = [young[name], old[name]];
    return [name, ...[a.p95, b.p95, a.cpu, b.cpu].map((ms) => ms.toFixed(1)), (b.cpu / a.cpu).toFixed(2)];
  });
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const within = Object.entries(half.within).map(([seconds, share]) => `${percent(share)} within ${seconds} s`);
  return [
    table(['question', `p95 at ${YOUNG}`, `at ${orders}`, `CPU ms at ${YOUNG}`, `at ${orders}`, 'ratio'], rows),
    `busy item beside quiet one: ${(old['stock of a busy item'].cpu / old['stock of a quiet item'].cpu).toFixed(2)} of its CPU`,
    `views at ${half.rate.toFixed(1)} orders/s: of ${half.events} events ${within.join(', ')}`,
    `report, its sidecar and PostgreSQL: ${percent(viewShare)} of the CPU of an order`,
    ...Object.entries(rebuilds).map(
      ([view, { events, seconds, equal }]) =>
        `${view} anew from ${events} events: ${seconds.toFixed(1)} s, ${Math.round(events / seconds)}/s, ${equal ? 'equal' : 'DIFFERENT'}`,
    ),
  ].join('\n');
}
