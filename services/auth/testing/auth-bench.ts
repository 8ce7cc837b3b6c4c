// The auth service on a fake sidecar, for its tests.
import type { EventSourced } from '#kit/events/event-sourced';
import { silent } from '#kit/log';
import type { FakeSidecar } from '#kit/testing/fake-sidecar';
import type { Clock } from '#kit/time';
import { Accounts } from '../accounts.ts';
import { authService } from '../app.ts';
import { SigningKeys } from '../keyring.ts';
import { Sessions } from '../sessions.ts';

export const STORE = 'statestore-auth';

export interface AuthReplica {
  readonly service: EventSourced;
  readonly accounts: Accounts;
  readonly keys: SigningKeys;
  readonly listener: ReturnType<EventSourced['app']['callback']>;
}

/** A replica on that sidecar, not begun. Its secret `auth-key-encryption` has to be there. */
export function authReplica({ client: sidecar }: FakeSidecar, clock: Clock): AuthReplica {
  const secret = () => sidecar.secret('secretstore', 'auth-key-encryption');
  const keys = new SigningKeys({ sidecar, store: STORE, secret, clock });
  const accounts = new Accounts(sidecar, STORE);
  const sessions = new Sessions(sidecar, STORE, clock);
  const service = authService({ name: 'auth', log: silent, sidecar, accounts, sessions, keys, clock });
  return { service, accounts, keys, listener: service.app.callback() };
}
