// Settings beside the common ones.
import { z } from 'zod';

export const Config = z.object({
  /** Seconds after which an unfinished receipt, sheet or transfer is taken up by the sweep. */
  MOVEMENT_SWEEP_SECONDS: z.coerce.number().int().min(1).default(20),
});
