// The document for people: Swagger UI from its npm package, under a policy that lets nothing from outside in.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type Koa from 'koa';
import { refuse } from '#kit/errors';
import { stateOf } from '#kit/http/request';
import { send, sendProblem } from '#kit/http/respond';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Retail ERP API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/init.js"></script>
</body>
</html>
`;

/** No validator badge: it would send the document to a public service. */
const INIT = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n`;

const files: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** `/openapi.json` and `/docs`. */
export function docs(document: () => Promise<string>): Koa.Middleware {
  const folder = join(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'), '..');
  return async (ctx, next) => {
    const isOurs = ctx.path === '/openapi.json' || ctx.path === '/docs' || ctx.path.startsWith('/docs/');
    if (!isOurs) return next();
    stateOf(ctx).route = ctx.path === '/openapi.json' ? ctx.path : '/docs/*';
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      return sendProblem(ctx, refuse('METHOD_NOT_ALLOWED'), { allow: 'GET, HEAD' });
    }
    ctx.set('cache-control', 'no-cache');
    if (ctx.path === '/openapi.json') return send(ctx, await document(), 'application/json; charset=utf-8');
    ctx.set('content-security-policy', POLICY);
    const name = ctx.path.slice('/docs/'.length);
    if (name === '') return send(ctx, PAGE, 'text/html; charset=utf-8');
    if (name === 'init.js') return send(ctx, INIT, 'text/javascript; charset=utf-8');
    const type = Object.hasOwn(files, name) ? files[name] : undefined;
    if (type === undefined) return sendProblem(ctx, refuse('NOT_FOUND'));
    // Read each time: rarely asked for, and 1.5 MiB that need not stay in memory.
    ctx.set('cache-control', 'public, max-age=3600');
    send(ctx, await readFile(join(folder, name)), type);
  };
}
