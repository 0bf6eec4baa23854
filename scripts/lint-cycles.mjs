// Part of `npm run lint`: checks that the modules of the Rust and the Python client have no import cycles.
// dependency-cruiser checks TypeScript, and Go's compiler rejects cycles between packages.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param {string} folder @param {string} extension @returns {string[]} paths of the files below a folder */
function filesBelow(folder, extension) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension) && !/(^|\/)(gen|_gen|generated)\//.test(path))
    .map((path) => join(folder, path));
}

/**
 * Modules of a Rust crate, and what each names of the others: by path, or by a name that lib.rs exports. A module
 * includes its nested modules.
 *
 * @param {string} folder @returns {Map<string, Set<string>>}
 */
export function rustImports(folder) {
  const sources = new Map();
  for (const path of filesBelow(folder, '.rs')) {
    if (path.endsWith('/tests.rs')) continue;
    const [module = ''] = relative(folder, path).slice(0, -'.rs'.length).split('/');
    const source = readFileSync(path, 'utf8')
      .replace(/\/\/.*$/gm, '')
      .replace(/#\[cfg\(test\)\]\s*mod [\s\S]*$/, '');
    sources.set(module, (sources.get(module) ?? '') + source);
  }
  const exported = new Map();
  for (const [, module, names] of (sources.get('lib') ?? '').matchAll(/pub use (\w+)::(?:\{([^}]*)\}|\w+)/g))
    for (const name of (names ?? '').split(',')) exported.set(name.trim(), module);
  for (const [, module, name] of (sources.get('lib') ?? '').matchAll(/pub use (\w+)::(\w+);/g))
    exported.set(name, module);
  sources.delete('lib');
  const imports = new Map();
  for (const [module, source] of sources) {
    const named = [...source.matchAll(/\bcrate::(?:(\w+)|\{([^;]*)\};)/g)].flatMap(([, one, many]) =>
      one
        ? [one]
        : (many ?? '')
            .replace(/::\{[^}]*\}|::\w+/g, '')
            .split(',')
            .map((name) => name.trim().split(' ')[0] ?? ''),
    );
    const modules = named.map((name) => (sources.has(name) ? name : exported.get(name)));
    imports.set(module, new Set(modules.filter((name) => name !== undefined && name !== module)));
  }
  return imports;
}

/** @param {string} folder - a Python package @returns {Map<string, Set<string>>} modules and what each imports at its top level */
export function pythonImports(folder) {
  const modules = new Map(
    filesBelow(folder, '.py').map((path) => [
      relative(folder, path)
        .slice(0, -'.py'.length)
        .replaceAll('/', '.')
        .replace(/(^|\.)__init__$/, ''),
      path,
    ]),
  );
  const imports = new Map();
  for (const [module, path] of modules) {
    const isPackage = path.endsWith('__init__.py');
    const found = new Set();
    // An import inside of a function, or for type checks only, runs after all modules are loaded.
    for (const [, dots, from, names] of readFileSync(path, 'utf8').matchAll(
      /^from (\.+)([\w.]*) import (\([^)]*\)|[^\n]*)/gm,
    )) {
      const parts = module === '' ? [] : module.split('.');
      const up = dots.length - (isPackage ? 1 : 0);
      const base = [...parts.slice(0, parts.length - up), ...(from ? from.split('.') : [])];
      for (const name of names.replace(/[()]/g, '').split(',')) {
        const inner = [...base, name.trim().split(' ')[0]].join('.');
        const target = modules.has(inner) ? inner : base.join('.');
        // The __init__ file of a package imports its modules, and they may name the package only in paths.
        if (modules.has(target) && target !== module) found.add(target);
      }
    }
    imports.set(module, found);
  }
  return imports;
}

/** @param {Map<string, Set<string>>} imports @returns {string[] | undefined} modules of one cycle, in order */
export function findCycle(imports) {
  const done = new Set();
  /** @param {string} module @param {string[]} path @returns {string[] | undefined} */
  const visit = (module, path) => {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (done.has(module)) return undefined;
    for (const next of imports.get(module) ?? []) {
      const cycle = visit(next, [...path, module]);
      if (cycle) return cycle;
    }
    done.add(module);
    return undefined;
  };
  for (const module of imports.keys()) {
    const cycle = visit(module, []);
    if (cycle) return cycle;
  }
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const clients = join(root, 'clients');
  const trees = {
    'clients/rust/src': rustImports(join(clients, 'rust', 'src')),
    'clients/python/src/spread_sidecar': pythonImports(join(clients, 'python', 'src', 'spread_sidecar')),
  };
  for (const [folder, imports] of Object.entries(trees)) {
    const cycle = findCycle(imports);
    if (cycle) {
      console.error(
        `${folder}: the modules ${cycle.map((name) => name || '__init__').join(' → ')} import each other in a cycle`,
      );
      process.exitCode = 1;
    }
  }
}
