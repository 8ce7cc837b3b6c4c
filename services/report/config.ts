// Settings beside the common ones.
import { z } from 'zod';

export const Config = z.object({
  /** The output binding of the database that holds log and views. */
  REPORT_DATABASE: z.string().min(1).default('views-report'),
});
