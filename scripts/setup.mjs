// `npm run setup`: installs and compiles what is missing, and nothing else.
import { ensureBuilt } from './build.mjs';

await ensureBuilt();
