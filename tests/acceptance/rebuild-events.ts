// The log that all views are made of, heard anew from the topics beside the running system.
import { expect, it } from '@jest/globals';
import { queryRows } from '../invariants/stores.ts';
import { rebuildEvents } from '../rebuild/events.ts';
import type { OpenWorld } from './open-world.ts';

export function rebuildEventsSuite(world: OpenWorld): void {
  const isIntact = async () =>
    (await world.admin.call<{ intact: boolean }>('GET', '/api/v1/audit/verify?limit=50000')).body.intact;

  it('says what the topics say, and mends what was changed by hand', async () => {
    const { mesh } = world;
    await queryRows(
      mesh,
      'report',
      `alter table events disable trigger events_only_grow;
       update events set actor = 'nobody' where position = (select min(position) + 9 from events);
       alter table events enable trigger events_only_grow`,
    );
    expect(await isIntact()).toBe(false);
    const said: string[] = [];
    const which = { url: mesh.url, profile: process.env.PROFILE ?? 'local', data: mesh.dataDir };
    expect(await rebuildEvents(which, (line) => void said.push(line))).toBe(1);
    expect(said).toContain('1 said something else, 0 were missing, 0 are in no topic any more');
    expect(await isIntact()).toBe(true);
  }, 120_000);
}
