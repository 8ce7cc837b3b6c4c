// Paths of service invocation.

/**
 * A path that daprd passes on unchanged. It decodes a path once, cleans dot segments away and reads the rest as a URL
 * again: without this an encoded `../` in a client's text would reach another route, and an encoded `?` none at all.
 */
export function sealed(path: string): string {
  const end = path.search(/[?#]|$/);
  const segments = path.slice(0, end).replaceAll('%', '%25').split('/');
  return (
    segments.map((segment) => (/^\.\.?$/.test(segment) ? segment.replaceAll('.', '%252e') : segment)).join('/') +
    path.slice(end)
  );
}
