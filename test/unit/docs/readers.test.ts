import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const DOCS = new URL('../../../docs/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, DOCS), 'utf8');
const READERS = ['Application developers', 'Operators', 'Test authors', 'Contributors'];
const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md') && name !== 'README.md');

/** The first line below the title. Generated pages have a comment above it. */
const firstLine = (text: string) => /^# .+\n\n(.+)$/m.exec(text)?.[1];

describe('the map of the pages', () => {
  const sections = new Map(
    READERS.map((reader) => [reader, read('README.md').split(`\n## ${reader}\n`)[1]?.split('\n## ')[0]]),
  );

  it.each([...pages, 'adr/README.md'])(
    '%s names its reader in its first line, and is listed there',
    (name) => {
      const reader = READERS.find((one) => firstLine(read(name))?.startsWith(`For ${one.toLowerCase()}: `));
      expect(reader, `first line: ${firstLine(read(name))}`).toBeDefined();
      const listed = [...sections].filter(([, text]) => text?.includes(`](${name})`)).map(([one]) => one);
      expect(listed).toEqual([reader]);
    },
  );
});

describe('the list of decisions', () => {
  it('has every record', () => {
    const records = readdirSync(new URL('adr/', DOCS)).filter((name) => /^\d/.test(name));
    expect(records.length).toBeGreaterThan(6);
    for (const record of records) expect(read('adr/README.md')).toContain(`](${record})`);
  });
});
