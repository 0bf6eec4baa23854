import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/**
 * Adds CommonJS to the ES modules in a folder, as `cjs` in that folder. Jest loads it, and TypeScript takes its types where a program
 * is compiled to CommonJS. Node itself loads the ES modules, also by require().
 */
export function addCommonJs(dist) {
  const output = join(dist, 'cjs');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.d.ts')))
    cpSync(join(dist, file), join(output, file));
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    const { outputText } = ts.transpileModule(readFileSync(join(dist, file), 'utf8'), {
      fileName: file,
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
      },
    });
    writeFileSync(join(output, file), outputText.replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
  }
  // The nearest package.json defines how Node and TypeScript read the files of a folder.
  writeFileSync(join(output, 'package.json'), '{ "type": "commonjs" }\n');
}
