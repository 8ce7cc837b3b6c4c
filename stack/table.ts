// The service table for other tools: `node stack/table.ts --json [--base <port>]`, or a list to read.
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { planPorts } from './ports.ts';
import { type Deployable, services } from './services.ts';

/** The table with the ports of a mesh at `base`. */
export function tableWithPorts(table: readonly Deployable[], base: number) {
  const { apps, ...infrastructure } = planPorts(table, base);
  return { services: table.map((service) => ({ ...service, ports: apps[service.appId] })), infrastructure };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const options = { json: { type: 'boolean' }, base: { type: 'string', default: '8000' } } as const;
  const { values } = parseArgs({ options });
  const table = tableWithPorts(services, Number(values.base));
  if (values.json) console.log(JSON.stringify(table, null, 2));
  else {
    for (const { appId, ports, components, needs } of table.services) {
      console.log(`${String(ports?.app).padEnd(6)} ${appId.padEnd(18)} ${[...needs, ...components].join(' ')}`);
    }
  }
}
