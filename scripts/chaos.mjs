// `npm run chaos`: breaks the links of a sidecar for as long as you like and checks that it keeps its promises;
// `npm run chaos -- --help` tells the options. It runs on the sources as they are, through the tests' own loader.
import { createViteServer } from 'vitest/node';
import { root } from './build.mjs';

const loader = await createViteServer({
  root,
  configFile: `${root}/vitest.config.ts`,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { main } = await loader.ssrLoadModule('/test/chaos/main.ts');
  process.exitCode = await main(process.argv.slice(2), (line) => console.log(line));
} finally {
  await loader.close();
}
