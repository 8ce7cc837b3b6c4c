// Settings beside the common ones.
import { z } from 'zod';

export const Config = z.object({
  /** From placed to cancelled for want of a decision; above any tolerated clock skew. */
  ORDER_DEADLINE_SECONDS: z.coerce.number().int().min(1).default(900),
});
