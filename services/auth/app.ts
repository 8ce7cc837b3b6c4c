// The service from its dependencies, not listening.
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { Records } from '#kit/events/records';
import { createVerifier } from '#kit/http/auth';
import type { Jwks } from '#kit/http/keys';
import { systemClock } from '#kit/time';
import { grantsKind, roleKind } from './access.ts';
import { accountMails } from './account-mails.ts';
import type { Accounts } from './accounts.ts';
import { Errands } from './errands.ts';
import type { SigningKeys } from './keyring.ts';
import { Revocations } from './revocations.ts';
import { Rights } from './rights.ts';
import { routes } from './routes.ts';
import type { Sessions } from './sessions.ts';

export interface AuthServiceParts extends Omit<ServiceParts, 'verifier'> {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly keys: SigningKeys;
  /** True once keys and, for the demo, identities are there. */
  readonly prepared?: () => boolean;
}

/** Tokens that come in are checked with the own keys and the own list of what is over, without a call. */
export function authService({
  accounts,
  sessions,
  keys,
  prepared = () => true,
  ...parts
}: AuthServiceParts): EventSourced {
  const { sidecar, clock = systemClock } = parts;
  const revocations = new Revocations(sidecar, `statestore-${parts.name}`, clock);
  const verifier = createVerifier({
    loadKeys: async () => (await keys.jwks()) as Jwks,
    loadRevocations: () => revocations.list(),
    clock,
  });
  const errands = new Errands({
    ...{ sidecar, clock, store: `statestore-${parts.name}` },
    secret: () => sidecar.secret('secretstore', 'auth-key-encryption'),
  });
  const mails = accountMails(errands, sidecar, parts.log);
  return eventSourced({ ...parts, verifier }, (streams) => {
    const rights = new Rights(new Records(streams, roleKind), new Records(streams, grantsKind));
    return {
      routes: routes({
        ...{ accounts, sessions, rights, revocations, keys, clock, errands },
        owed: (errand) => mails.worker.wake(errand),
      }),
      worker: mails.worker,
      sweep: mails.sweep,
      ready: () => ({ identities: prepared() }),
    };
  });
}
