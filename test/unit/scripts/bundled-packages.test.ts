import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const manifest = (folder: string) =>
  JSON.parse(readFileSync(new URL(`../../../${folder}package.json`, import.meta.url), 'utf8'));

describe('a package of the project', () => {
  it.each([
    ['', 'clients/typescript/'],
    ['', 'proto/'],
    ['clients/typescript/', 'proto/'],
  ])('in "%s" bundles the package in "%s" in its own version', (folder, bundled) => {
    const { name, version } = manifest(bundled);
    expect(manifest(folder).bundleDependencies).toContain(name);
    expect(manifest(folder).dependencies[name]).toBe(version);
  });
});
