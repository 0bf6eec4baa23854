import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = join(ROOT, 'test', 'bench', 'roles');
/** Below node_modules, so that it is in nobody's way and finds the packages. */
const OUTPUT = join(ROOT, 'node_modules', '.cache', 'spread-sidecar-bench');
const BUILT_SERVER = pathToFileURL(join(ROOT, 'dist', 'server')).href;

/**
 * Makes plain JavaScript of the roles, because a loader in a role's process would be measured with it. What they import
 * of the sidecar and the client is the built one. Types are checked by `npm run typecheck`.
 *
 * @returns the entry of a role's process
 */
export function buildRoles(): string {
  mkdirSync(OUTPUT, { recursive: true });
  writeFileSync(join(OUTPUT, 'package.json'), '{"type":"module"}\n');
  for (const file of readdirSync(SOURCES)) {
    const source = readFileSync(join(SOURCES, file), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      fileName: file,
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(
      join(OUTPUT, file.replace(/\.ts$/, '.js')),
      outputText.replaceAll('../../../server/src/', `${BUILT_SERVER}/`),
    );
  }
  return join(OUTPUT, 'role.js');
}
