// Wiring only.
import { runService } from '#kit/http/service';
import { productService } from './app.ts';

await runService({ name: 'product', start: productService });
