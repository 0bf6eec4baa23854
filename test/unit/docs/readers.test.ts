import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const DOCS = new URL('docs/', ROOT);
const read = (name: string, base = DOCS) => readFileSync(new URL(name, base), 'utf8');
const READERS = ['Application developers', 'Operators', 'Test authors', 'Contributors'];
const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md') && name !== 'README.md');

/** The first line below the title. Generated pages have a comment above it. */
const firstLine = (text: string) => /^# .+\n\n(.+)$/m.exec(text)?.[1];

const tracked = execFileSync('git', ['ls-files'], { cwd: fileURLToPath(ROOT), encoding: 'utf8' })
  .split('\n')
  .filter((name) => name !== '' && existsSync(new URL(name, ROOT)));

const isPage = (name: string) =>
  name.endsWith('.md') && !name.startsWith('.github/') && !['CHANGELOG.md', 'docs/README.md'].includes(name);

describe('the first sentence of a page', () => {
  const reader = new RegExp(`^For (${READERS.join('|').toLowerCase()})\\b[^:.]*: `);

  it.each(tracked.filter(isPage))('names the reader of %s', (name) => {
    expect(firstLine(read(name, ROOT))).toMatch(reader);
  });
});

describe('the map of the pages', () => {
  const sections = new Map(
    READERS.map((reader) => [reader, read('README.md').split(`\n## ${reader}\n`)[1]?.split('\n## ')[0]]),
  );

  it('links to every page of the repository, except the single decisions', () => {
    const links = [...read('README.md').matchAll(/\]\(([^)#]+)\)/g)].map(
      ([, target]) => new URL(target!, DOCS).pathname,
    );
    const unlisted = tracked
      .filter((name) => name.endsWith('.md') && !name.startsWith('.github/') && name !== 'docs/README.md')
      .filter((name) => !/^docs\/adr\/\d/.test(name) && !links.includes(new URL(name, ROOT).pathname));
    expect(unlisted).toEqual([]);
  });

  it.each([...pages, 'adr/README.md'])('lists %s under its reader', (name) => {
    const reader = READERS.find((one) => firstLine(read(name))?.startsWith(`For ${one.toLowerCase()}: `));
    expect(reader, `first line: ${firstLine(read(name))}`).toBeDefined();
    const listed = [...sections].filter(([, text]) => text?.includes(`](${name})`)).map(([one]) => one);
    expect(listed).toEqual([reader]);
  });
});

describe('the list of decisions', () => {
  it('has every record', () => {
    const records = readdirSync(new URL('adr/', DOCS)).filter((name) => /^\d/.test(name));
    expect(records.length).toBeGreaterThan(6);
    for (const record of records) expect(read('adr/README.md')).toContain(`](${record})`);
  });
});
