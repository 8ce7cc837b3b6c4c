// What a test may break, all in one table.
import { z } from 'zod';

const count = z.int().min(0).max(1_000_000);
const milliseconds = z.int().min(0).max(600_000);

const faultsSchema = z.strictObject({
  /** Every request of the API takes this much longer before it does its work. */
  delayMs: milliseconds,
  /** How long a `pm_card_visa_slow` takes. */
  slowCardMs: milliseconds,
  /** So many next requests get a 500 and do nothing; nothing is kept under their keys. */
  failNext: count,
  /** So many next POSTs do their work, then the connection closes without an answer. */
  dropNext: count,
  /** true: 503 to everything; "refuse": connections close at once. No webhooks are sent meanwhile. */
  down: z.union([z.boolean(), z.literal('refuse')]),
  webhooks: z.strictObject({
    /** Every event is sent twice. */
    double: z.boolean(),
    /** Events from now on are first sent this much later. */
    delayMs: milliseconds,
    /** Events are held together for 300 ms and sent newest first. */
    reorder: z.boolean(),
    /** Events wait, also over a restart, until this is false again. */
    off: z.boolean(),
  }),
});

export type Faults = z.infer<typeof faultsSchema>;

export const NO_FAULTS: Faults = {
  delayMs: 0,
  slowCardMs: 5_000,
  failNext: 0,
  dropNext: 0,
  down: false,
  webhooks: { double: false, delayMs: 0, reorder: false, off: false },
};

const patchSchema = faultsSchema.partial().extend({ webhooks: faultsSchema.shape.webhooks.partial().optional() });

/** The table with the named faults changed. @throws z.ZodError for a fault that does not exist or a wrong value. */
export function changeFaults(faults: Faults, patch: unknown): Faults {
  const { webhooks, ...rest } = patchSchema.parse(patch);
  return faultsSchema.parse({ ...faults, ...rest, webhooks: { ...faults.webhooks, ...webhooks } });
}
