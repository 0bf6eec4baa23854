// Runs the `main(args, print)` of a TypeScript file as plain JavaScript in a process of its own: a loader in it would be
// measured with the rest, because the collections of its large heap stop whoever sends and receives there. What the file imports of
// the sidecar and the client is the built one. What `main` returns is the exit code. Types are checked by `npm run typecheck`.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { root } from './build.mjs';

/** Below node_modules, so that it is in nobody's way and finds the packages. */
const output = join(root, 'node_modules', '.cache', 'spread-sidecar-plain');

/**
 * @param entry the file with main, from the root
 * @param folders the folders of it and of what it imports, from the root; their folders are included
 */
export async function runPlain(entry, folders) {
  rmSync(output, { recursive: true, force: true });
  for (const folder of folders) transpile(folder);
  writeFileSync(join(output, 'package.json'), '{"type":"module"}\n');
  const main = pathToFileURL(join(output, entry.replace(/\.ts$/, '.js'))).href;
  const run = `const { main } = await import(${JSON.stringify(main)});
process.exitCode = await main(process.argv.slice(1), (line) => console.log(line));`;
  // As the sidecar does it, and for the same reason: server/src/memory/heap-growth.ts.
  const flags = ['--heap-growing-percent=300', '--input-type=module'];
  const child = spawn(process.execPath, [...flags, '-e', run, '--', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function transpile(folder) {
  const built = pathToFileURL(join(root, 'dist')).href;
  const files = readdirSync(join(root, folder), { recursive: true });
  for (const file of files.filter((name) => /(?<!\.d)\.ts$/.test(name))) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, folder, file), 'utf8'), {
      fileName: file,
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
      },
    });
    const to = join(output, folder, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(
      to,
      outputText
        .replaceAll(/(?:\.\.\/)+server\/src\//g, `${built}/server/`)
        .replaceAll(/(?:\.\.\/)+dist\//g, `${built}/`)
        .replaceAll(/(?:\.\.\/)+scripts\//g, `${pathToFileURL(join(root, 'scripts')).href}/`),
    );
  }
}
