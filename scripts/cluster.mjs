// `npm run cluster`: installs the chart on a Kubernetes node of this machine and checks it; `npm run cluster -- --help` lists the checks.
import { ensureBuilt } from './build.mjs';
import { runPlain } from './run-plain.mjs';

await ensureBuilt();
// The attacks run against pods too.
const attacks = ['test/attack', 'test/measure'];
await runPlain('test/kubernetes/main.ts', ['test/kubernetes', 'test/support', ...attacks]);
