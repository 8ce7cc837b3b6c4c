// Settings beside the common ones.
import { z } from 'zod';

export const Config = z.object({
  /** From placed to cancelled for want of a decision; above any tolerated clock skew. */
  ORDER_DEADLINE_SECONDS: z.coerce.number().int().min(1).default(900),
  /** For so many days after the sale, or after the last goods were handed out, goods may come back. */
  RETURN_WINDOW_DAYS: z.coerce.number().int().min(0).max(3_650).default(30),
});
