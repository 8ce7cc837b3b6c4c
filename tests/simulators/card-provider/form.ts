// Form bodies and query strings as Stripe writes them: nested names in brackets, `metadata[order_id]=1&expand[0]=charge`.

/** A parameter: a text, or a group of named parameters (a list is a group whose names are numbers). */
export type Param = string | Params;
export type Params = { [name: string]: Param };

/**
 * Reads `application/x-www-form-urlencoded` text into nested parameters. The last of two equal names wins.
 * Malformed names (`a[b`) are kept as plain ones, so that they are refused as unknown parameters later.
 */
export function parseForm(text: string): Params {
  const root = group();
  for (const [name, value] of new URLSearchParams(text)) {
    const path = splitName(name);
    let at = root;
    for (const part of path.slice(0, -1)) {
      let next = at[part];
      if (typeof next !== 'object') {
        next = group();
        at[part] = next;
      }
      at = next;
    }
    const last = path[path.length - 1] as string;
    at[last === '' ? String(Object.keys(at).length) : last] = value;
  }
  return root;
}

/** The same parameters always give the same text, whatever order they came in: what an idempotency key is compared by. */
export function canonical(params: Params): string {
  const lines = flatten(params, '').sort();
  return lines.join('\n');
}

/** The texts of a group (`metadata`), without nested groups. */
export function texts(param: Param | undefined): Record<string, string> {
  if (typeof param !== 'object') return {};
  return Object.fromEntries(
    Object.entries(param).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function flatten(params: Params, prefix: string): string[] {
  return Object.entries(params).flatMap(([name, value]) => {
    const path = `${prefix}[${encodeURIComponent(name)}]`;
    return typeof value === 'string' ? [`${path}=${encodeURIComponent(value)}`] : flatten(value, path);
  });
}

function splitName(name: string): string[] {
  if (!/^[^[\]]+(\[[^[\]]*\]){0,4}$/.test(name)) return [name];
  const [first, ...rest] = name.split('[');
  return [first as string, ...rest.map((part) => part.slice(0, -1))];
}

/** Without a prototype, so that a parameter called `__proto__` is a name like any other. */
function group(): Params {
  return Object.create(null) as Params;
}
