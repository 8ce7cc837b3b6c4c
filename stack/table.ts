// The service table for other tools: `node stack/table.ts --json [--base <port>] [--profile <name>]`, or a list to read.
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { standsOn } from './ground.ts';
import { root } from './layout.ts';
import { planPorts } from './ports.ts';
import { type Resource, readResources, resourceFolders } from './render.ts';
import { type Deployable, services } from './services.ts';

/** The table with the ports of a mesh at `base`, and the processes that each row needs with these resources. */
export function tableWithPorts(table: readonly Deployable[], base: number, resources: readonly Resource[]) {
  const { apps, ...infrastructure } = planPorts(table, base);
  return {
    services: table.map((service) => ({
      ...service,
      needs: standsOn(service, resources),
      ports: apps[service.appId],
    })),
    infrastructure,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const options = { json: { type: 'boolean' }, base: text('8000'), profile: text('local') } as const;
  const { values } = parseArgs({ options });
  const table = tableWithPorts(services, Number(values.base), readResources(resourceFolders(root, values.profile)));
  if (values.json) console.log(JSON.stringify(table, null, 2));
  else {
    for (const { appId, ports, components, needs } of table.services) {
      console.log(`${String(ports?.app).padEnd(6)} ${appId.padEnd(18)} ${[...needs, ...components].join(' ')}`);
    }
  }
}
