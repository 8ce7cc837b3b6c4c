import { bulkAnswers } from './features/bulk-answers.ts';
import { kfake } from './sets/kfake.ts';

bulkAnswers(kfake);
