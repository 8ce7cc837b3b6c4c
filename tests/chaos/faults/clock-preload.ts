// Loaded into a service before all else (`node --import`): moves its wall clock by the milliseconds that a file says.
// Timers and `performance.now()` go on as they are: a clock that was set wrong does not change how long a second is.
import { readFileSync, writeFileSync } from 'node:fs';

const POLL_MS = 50;
const file = String(process.env.CLOCK_FILE);
const realNow = Date.now;
let offset = 0;

Date.now = () => realNow() + offset;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [Date.now()], newTarget),
  apply: () => new Date().toString(),
});

let seen = '';
const follow = () => {
  const wanted = readFileSync(file, 'utf8');
  if (wanted === seen) return;
  offset = Number(wanted);
  seen = wanted;
  writeFileSync(`${file}.${process.pid}`, wanted); // whoever set it waits for this
};
follow();
setInterval(follow, POLL_MS).unref();
