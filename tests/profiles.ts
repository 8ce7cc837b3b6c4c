// `npm run test:profiles [-- local cloud]`: the same acceptance suite, and the invariants after it, on each component set.
// That it passes on both, with no other change, is what "swappable" means here.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installTools, toolsOf } from '../stack/bootstrap/tools.mjs';
import { root } from '../stack/layout.ts';
import { runJest } from './jest-run.ts';

/** The suite takes three minutes on two idle cores. */
const MINUTES = 15;

const all = readdirSync(join(root, 'components')).sort((a) => (a === 'local' ? -1 : 1)); // the usual one first
const wanted = process.argv.slice(2);
const unknown = wanted.filter((profile) => !all.includes(profile));
if (unknown.length > 0) {
  console.error(`There is no profile ${unknown.join(', ')}; components/ has ${all.join(', ')}.`);
  process.exit(1);
}

const total = { passed: 0, failed: 0 };
const summary: string[] = [];
for (const profile of wanted.length > 0 ? wanted : all) {
  console.log(`\n== acceptance on ${profile}`);
  await installTools(toolsOf(root, profile));
  const started = performance.now();
  const { passed, failed } = await runJest(['tests/acceptance'], MINUTES, { PROFILE: profile });
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  summary.push(`${profile.padEnd(10)} ${passed} passed, ${failed} failed, ${seconds} s`);
}
console.log(`\n${summary.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
