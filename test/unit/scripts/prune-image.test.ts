import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../support/run-command.js';
import { temporaryFolder } from '../../support/tmp.js';

const root = new URL('../../..', import.meta.url).pathname;

/** Creates a built project and returns the files that the image gets from it. */
async function pruned(files: Record<string, string>) {
  const folder = temporaryFolder();
  const project = {
    LICENSE: 'Apache License, Version 2.0',
    'package.json': '{}',
    'sbom.cdx.json': '{}',
    'bin/spread-sidecar.mjs': '',
    'dist/server/main.js': '',
    'dist/server/bundle/main.js': '',
    'dist/server/bundle/licences.txt': '',
    'dist/page/index.html': '',
    'proto/spread/a.proto': '',
    'proto/package.json': '{}',
    'proto/dist/index.js': '',
    'proto/src/index.ts': '',
    'clients/typescript/package.json': '{}',
    'clients/typescript/dist/index.js': '',
    ...files,
  };
  for (const [name, text] of Object.entries(project)) {
    mkdirSync(dirname(join(folder, 'from', name)), { recursive: true });
    writeFileSync(join(folder, 'from', name), text);
  }
  const args = [join(root, 'scripts/prune-image.mjs'), join(folder, 'from'), join(folder, 'to')];
  await runCommand(process.execPath, args);
  const path = (name: string) => join(folder, 'to/app', name);
  return {
    has: (name: string) => existsSync(path(name)),
    read: (name: string) => readFileSync(path(name), 'utf8'),
  };
}

const manifest = (name: string, license: string) => JSON.stringify({ name, version: '1.0.0', license });

describe('the content of the image', () => {
  it.each(['LICENSE', 'LICENSE.md', 'license.markdown', 'LICENCE.txt', 'COPYING'])(
    'includes the licence file %s of a package, not its manual',
    async (name) => {
      const { has } = await pruned({
        'node_modules/a/package.json': manifest('a', 'MIT'),
        [`node_modules/a/${name}`]: 'MIT',
        'node_modules/a/README.md': '',
        'node_modules/a/index.d.ts': '',
      });
      expect(has(`node_modules/a/${name}`)).toBe(true);
      expect(has('node_modules/a/README.md')).toBe(false);
      expect(has('node_modules/a/index.d.ts')).toBe(false);
    },
  );

  it('includes the licence texts of a package without its own', async () => {
    const name = 'node_modules/@bufbuild/protobuf';
    const { read } = await pruned({
      [`${name}/package.json`]: manifest('@bufbuild/protobuf', '(Apache-2.0 AND BSD-3-Clause)'),
      [`${name}/dist/esm/wire/varint.js`]:
        '// Copyright 2008 Google Inc.\n//\n// Redistribution\nexport {};\n',
    });
    expect(read(`${name}/LICENSE`)).toBe(
      '@bufbuild/protobuf: (Apache-2.0 AND BSD-3-Clause)\n\nApache License, Version 2.0\n\nCopyright 2008 Google Inc.\n\nRedistribution',
    );
  });

  it('cannot be assembled when the licence of a package is missing', async () => {
    const packages = {
      'node_modules/a/package.json': manifest('a', 'MIT'),
      'node_modules/a/LICENSE': 'MIT',
      'node_modules/a/node_modules/@b/c/package.json': manifest('@b/c', 'ISC'),
    };
    await expect(pruned(packages)).rejects.toThrow('@b/c (ISC) has no licence file');
  });

  it('includes the status page with the licences of its packages', async () => {
    const files = ['index.html', 'main.js', 'main.css', 'icon.svg', 'licences.txt'];
    const { has } = await pruned({
      'node_modules/a/package.json': manifest('a', 'MIT'),
      'node_modules/a/LICENSE': '',
      ...Object.fromEntries(files.map((name) => [`dist/page/${name}`, ''])),
    });
    for (const name of files) expect([name, has(`dist/page/${name}`)]).toEqual([name, true]);
  });

  it('includes the bundle of the server with the licences of its packages, without the other compiled files', async () => {
    const { has } = await pruned({
      'node_modules/a/package.json': manifest('a', 'MIT'),
      'node_modules/a/LICENSE': '',
    });
    for (const name of ['main.js', 'licences.txt'])
      expect([name, has(`dist/server/bundle/${name}`)]).toEqual([name, true]);
    expect(has('dist/server/main.js')).toBe(false);
  });

  it('includes the contract and the compiled packages of the project, without their sources', async () => {
    const { has } = await pruned({
      'node_modules/a/package.json': manifest('a', 'MIT'),
      'node_modules/a/LICENSE': '',
    });
    for (const file of ['spread/a.proto', 'package.json', 'dist/index.js'])
      expect(has(`proto/${file}`)).toBe(true);
    expect(has('clients/typescript/dist/index.js')).toBe(true);
    expect(has('proto/src')).toBe(false);
  });
});
