// `npm start`: the sidecar with the embedded daemon, from a fresh clone. Further arguments go to `serve`.
import { join } from 'node:path';
import { ensureBuilt, root } from './build.mjs';

await ensureBuilt();
process.argv.splice(2, 0, 'serve', '--embedded-daemon');
await import(join(root, 'bin', 'spread-sidecar.mjs'));
