// Runs the `main(args, print)` of a TypeScript file on the sources as they are, through the tests' own loader.
// What it returns is the exit code.
import { createViteServer } from 'vitest/node';
import { root } from './build.mjs';

export async function runSource(path) {
  const loader = await createViteServer({
    root,
    configFile: `${root}/vitest.config.ts`,
    logLevel: 'error',
    server: { middlewareMode: true, watch: null, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const { main } = await loader.ssrLoadModule(path);
    process.exitCode = await main(process.argv.slice(2), (line) => console.log(line));
  } finally {
    await loader.close();
  }
}
