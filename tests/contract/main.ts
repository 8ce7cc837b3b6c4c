// `npm run contract`: writes the OpenAPI document anew. What breaks a client is refused, unless it is meant:
// `npm run contract -- --break "why"` writes it all the same, and puts break and reason on record.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../stack/layout.ts';
import { breaks } from './breaks.ts';
import { COMMITTED, committed, documentOfTheCode, RECORD } from './document.ts';

const { values } = parseArgs({ options: { break: { type: 'string' } } });
const file = join(root, COMMITTED);
const now = await documentOfTheCode();
const record = readFileSync(join(root, RECORD), 'utf8');
const found = breaks(committed(), now).filter((each) => !record.includes(`- ${each}\n`));
if (found.length > 0 && !values.break) {
  console.error(`This breaks clients:\n${found.map((each) => `  ${each}`).join('\n')}`);
  console.error(
    'Add instead of changing, or give a new version of the route. If it is meant: npm run contract -- --break "why"',
  );
  process.exit(1);
}
if (found.length > 0) {
  const day = new Date().toISOString().slice(0, 10);
  appendFileSync(
    join(root, RECORD),
    `\n## ${day}: ${values.break}\n\n${found.map((each) => `- ${each}`).join('\n')}\n`,
  );
}
writeFileSync(file, `${JSON.stringify(now, null, 1)}\n`);
console.log(
  found.length > 0 ? `written, with ${found.length} breaks on record in ${RECORD}` : 'written; no client breaks',
);
