import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { places, setVersion, versions } from '../../../scripts/version.mjs';

describe('the version', () => {
  it('is one for all that is released together', () => {
    expect(new Set(versions().map(({ version }) => version)).size).toBe(1);
  });

  it('is found in every package of the repository', () => {
    const files = new Set(places.map(([file]) => file));
    for (const client of [
      'typescript/package.json',
      'python/pyproject.toml',
      'go/version.go',
      'java/pom.xml',
      'testcontainers/python/pyproject.toml',
      'testcontainers/go/go.mod',
      'testcontainers/java/pom.xml',
    ])
      expect(files).toContain(`clients/${client}`);
  });

  it.each(places)('can be set in %s', (file, pattern) => {
    const text = readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8');
    const changed = text.replace(pattern, '$19.8.7$3');
    expect(pattern.exec(changed)?.[2]).toBe('9.8.7');
  });

  it.each(['1.2', 'v1.2.3', '1.2.3 ', ''])('must not be %j', (version) => {
    expect(() => setVersion(version)).toThrow('is no version');
  });
});
