// A service with nothing but a life, for the tests of `runService`: slow answers, an end that tells, ways to die.
import { z } from 'zod';
import { internal, ok } from '../http/api.ts';
import { createApp } from '../http/app.ts';
import { runService } from '../http/service.ts';

const Done = z.strictObject({ done: z.boolean() });

await runService({
  name: 'sample',
  config: z.object({ SAMPLE_MODE: z.enum(['good', 'rejects', 'cannot-begin']) }),
  start: (host) => {
    const routes = internal('/slow').get('/:ms', { summary: 'Slow', answers: { 200: Done } }, async ({ params }) => {
      await new Promise((resolve) => setTimeout(resolve, Number(params.ms)));
      return ok({ done: true });
    });
    return {
      app: createApp({ ...host, routes: [routes] }),
      begin: async () => {
        if (host.config.SAMPLE_MODE === 'cannot-begin') throw new Error('no lane is free');
        if (host.config.SAMPLE_MODE === 'rejects') void Promise.reject(new Error('nobody listens'));
      },
      stop: async () => host.log.info('stopped'),
    };
  },
});
