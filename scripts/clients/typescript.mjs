// The TypeScript client, as the conformance suite, the benchmarks and `.ci/run` see it. It is built by `npm run setup`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { ensureBuilt, root } from '../build.mjs';

const sources = join(root, 'test', 'conformance', 'typescript');
/** Below node_modules, so that it is in nobody's way and finds the packages. */
const output = join(root, 'node_modules', '.cache', 'spread-sidecar-driver');
const { version } = JSON.parse(readFileSync(join(root, 'clients/typescript/package.json'), 'utf8'));

export const typescript = {
  language: 'typescript',
  title: 'TypeScript',
  enable: '',
  isAvailable: () => true,
  generated: [],
  async prepare() {
    await ensureBuilt();
    const server = pathToFileURL(join(root, 'dist', 'server')).href;
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, 'package.json'), '{"type":"module"}\n');
    for (const file of readdirSync(sources)) {
      const { outputText } = ts.transpileModule(readFileSync(join(sources, file), 'utf8'), {
        fileName: file,
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2022,
          verbatimModuleSyntax: true,
        },
      });
      writeFileSync(
        join(output, file.replace(/\.ts$/, '.js')),
        outputText.replaceAll('../../../server/src/', `${server}/`),
      );
    }
  },
  driver: () => ({
    command: process.execPath,
    args: [join(output, 'driver.js')],
    cwd: root,
    env: { CLIENT_VERSION: version },
  }),
  example: (name, args) => ({
    command: process.execPath,
    args: [join(root, 'clients', 'typescript', 'examples', `${name}.mjs`), ...args],
    cwd: root,
  }),
};
