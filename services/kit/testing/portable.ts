// What every store takes: the fake one refuses the rest, so that a test fails before another component set does.
// Measured on state.sqlite, state.postgresql v2 and state.aws.dynamodb: docs/decisions/0012-component-sets.md

/** DynamoDB. */
const MOST_OPERATIONS = 100;
const MOST_BYTES = 400 * 1024;
/** DynamoDB's component rounds further decimals away, without a word. */
const MOST_DECIMALS = 1_000_000;

/** Why some store would not keep these documents as they are; undefined: all do. */
export function unportable(
  documents: readonly { readonly key: string; readonly value?: unknown }[],
): string | undefined {
  if (documents.length > MOST_OPERATIONS) return `${documents.length} operations in one call`;
  const keys = new Set(documents.map(({ key }) => key));
  if (keys.size < documents.length) return 'a key twice in one call';
  for (const { key, value } of documents) {
    const bytes = Buffer.byteLength(JSON.stringify(value) ?? '') + Buffer.byteLength(key);
    if (bytes > MOST_BYTES) return `${key} has ${bytes} bytes`;
    const lost = lostNumber(value);
    if (lost !== undefined) return `${key} holds the number ${lost}`;
  }
  return undefined;
}

/** JSON text with the keys of all objects in another order: DynamoDB's component keeps none. */
export function textInAnotherOrder(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).reverse())
      : inner,
  );
}

function lostNumber(value: unknown): number | undefined {
  if (typeof value === 'number') {
    const isKept = Number.isInteger(value)
      ? Number.isSafeInteger(value)
      : Math.round(value * MOST_DECIMALS) / MOST_DECIMALS === value;
    return isKept ? undefined : value;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const inner of Object.values(value)) {
    const lost = lostNumber(inner);
    if (lost !== undefined) return lost;
  }
  return undefined;
}
