import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const sources = new URL('../../../server/src', import.meta.url).pathname;

describe('the sidecar', () => {
  it('imports the client that its package has inside, not one of a registry', () => {
    const importing = (name: string) =>
      readdirSync(sources, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .filter((file) => readFileSync(join(sources, file), 'utf8').includes(`'${name}'`));
    expect(importing('spread-sidecar-client')).toEqual([]);
    expect(importing('#spread-sidecar-client')).not.toEqual([]);
  });
});
