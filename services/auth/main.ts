// Wiring only, and what has to be there before the first request: keys and, for the demo, identities.
import { runService } from '#kit/http/service';
import { systemClock } from '#kit/time';
import { untilDone } from '#kit/until-done';
import { Accounts } from './accounts.ts';
import { authService } from './app.ts';
import { Config } from './config.ts';
import { ensureDemo } from './demo.ts';
import { SigningKeys } from './keyring.ts';
import { Sessions } from './sessions.ts';

const STORE = 'statestore-auth';

await runService({
  name: 'auth',
  config: Config,
  start: (host) => {
    const { sidecar, config, log, draining } = host;
    const accounts = new Accounts(sidecar, STORE);
    const keys = new SigningKeys({
      sidecar,
      store: STORE,
      secret: () => sidecar.secret('secretstore', 'auth-key-encryption'),
      clock: systemClock,
    });
    let prepared = false;
    const prepare = async () => {
      await keys.signer();
      if (config.DEMO) await ensureDemo(accounts, sidecar, config.DEMO_SHOPS);
      prepared = true;
    };
    const sessions = new Sessions(sidecar, STORE, systemClock);
    const service = authService({ ...host, accounts, sessions, keys, prepared: () => prepared });
    return {
      app: service.app,
      async begin() {
        await untilDone('keys and identities', log, prepare, draining);
        await service.begin();
      },
      stop: () => service.stop(),
    };
  },
});
