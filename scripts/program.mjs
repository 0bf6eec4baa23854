// `node scripts/program.mjs NAME …`: runs test/NAME/main.ts on the sources as they are. NAME is attack, bench, chaos, fuzz or kubernetes.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, root } from './build.mjs';

const [name, ...args] = process.argv.slice(2);
await ensureBuilt();
// V8 collects garbage as in the sidecar, for the reason in server/src/memory/heap-growth.ts.
const node = ['--heap-growing-percent=300', '--import', 'tsx', join('test', 'support', 'program.ts')];
const child = spawn(process.execPath, [...node, join('test', name, 'main.ts'), ...args], {
  cwd: root,
  stdio: 'inherit',
});
// Ctrl+C also reaches the program, which stops its processes.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill());
process.exitCode = await new Promise((resolve, reject) => {
  child.once('error', reject);
  child.once('exit', (code) => resolve(code ?? 1));
});
