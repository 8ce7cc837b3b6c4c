// Wiring only.
import { runService } from '#kit/http/service';
import { shopService } from './app.ts';

await runService({ name: 'shop', start: shopService });
