// Settings beside the common ones.
import { z } from 'zod';
import { Flag, Words } from '#kit/config';

export const Config = z.object({
  /** Makes the demo identities, whose password the runner made up. Set by the runner alone. */
  DEMO: Flag.default(false),
  /** Shops whose tills get a client; the first is the manager's and cashier's. */
  DEMO_SHOPS: Words.default([]),
});
