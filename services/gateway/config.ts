// Settings beside the common ones.
import { z } from 'zod';
import { Words } from '#kit/config';

export const Config = z.object({
  /** `/readyz` also waits for this file: the runner writes it once the demo data is in. */
  READY_AFTER_FILE: z.string().optional(),
  /** Origins whose browsers may call, comma separated. */
  CORS_ORIGINS: Words.default([]),
});
