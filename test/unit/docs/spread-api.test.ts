import { readdirSync, readFileSync } from 'node:fs';
import * as client from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { errorSource } from '../../support/docs/error-source.js';
import { contractNames } from '../../support/docs/proto-names.js';
import { type ApiRow, apiRows, names, parseRows } from '../../support/docs/spread-api-page.js';
import { API_NAMES, CONSTANT_NAMES, ERROR_NAMES } from './spread-api-names.js';
import { titleNames } from './test-titles.js';

const INTEGRATION = new URL('../../integration/', import.meta.url);
const CLIENT = new URL('../../../clients/typescript/src/', import.meta.url);

const rows = apiRows();
const exported = client as Record<string, unknown>;
const titles = new Map(
  readdirSync(INTEGRATION)
    .filter((file) => file.startsWith('spread-api-'))
    .map((file) => [file, titleNames(readFileSync(new URL(file, INTEGRATION), 'utf8'))]),
);
const clientText = readdirSync(CLIENT)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(new URL(file, CLIENT), 'utf8'))
  .join('\n');

/** The file that the last cell links to. */
const proofOf = ({ cells }: ApiRow): string | undefined =>
  /\]\(\.\.\/test\/integration\/([\w-]+\.test\.ts)\)$/.exec(cells.Proof ?? '')?.[1];

/** Whether the client exports this name, or a class or interface with this member. */
function isInClient(name: string): boolean {
  const [owner, member, ...more] = name.split('.');
  const isExported =
    owner! in exported || new RegExp(`\\b(class|interface|type) ${owner}\\b`).test(clientText);
  return isExported && more.length === 0 && (!member || new RegExp(`\\b${member}\\b[?(:]`).test(clientText));
}

describe('docs/spread-api.md', () => {
  it('has one row for each name of the C API and of the Python wrapper, and none for others', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(
      [...API_NAMES, ...CONSTANT_NAMES, ...ERROR_NAMES].sort(),
    );
  });

  it.each(rows.map((row) => [row.name, row] as const))('%s: links to an existing test', (name, row) => {
    const file = proofOf(row);
    expect(file, 'the link to a test file').toBeDefined();
    expect(titles.has(file!), `the file ${file}`).toBe(true);
    expect(titles.get(file!)!.has(name), `a test of ${file} whose title begins with "${name}: "`).toBe(true);
  });

  it('has a row for each test', () => {
    const wanted = rows.map((row) => `${proofOf(row)} ${row.name}`);
    const there = [...titles].flatMap(([file, found]) => [...found].map((name) => `${file} ${name}`));
    expect(there.sort()).toEqual(wanted.sort());
  });

  it('names only parts of the contract', () => {
    const known = contractNames();
    expect(rows.flatMap(({ cells }) => names(cells.Contract!)).filter((name) => !known.has(name))).toEqual(
      [],
    );
    for (const { name, cells } of rows) expect(cells.Contract, name).toMatch(/^(–|`[\w.]+`(, `[\w.]+`)*)$/);
  });

  it('names only parts of the TypeScript client', () => {
    const named = rows.flatMap(({ cells }) => names(cells.TypeScript ?? ''));
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter((name) => !isInClient(name))).toEqual([]);
  });

  it('explains the difference of each name without an equivalent', () => {
    for (const { name, cells } of rows)
      if (cells.Contract === '–' || cells.TypeScript === '–')
        expect(cells['Different here'], name).not.toBe('');
  });

  it.each(CONSTANT_NAMES)("%s: has the client's value", (name) => {
    const row = rows.find((candidate) => candidate.name === name)!;
    expect(Number(names(row.cells.Value ?? '')[0])).toBe(exported[name]);
  });

  it.each(ERROR_NAMES)('%s: has the same number and status as server and client', (name) => {
    const { cells } = rows.find((candidate) => candidate.name === name)!;
    const { number, status } = errorSource.spread.find((candidate) => candidate.name === name)!;
    expect([cells.Number, cells['gRPC status']]).toEqual([`\`${number}\``, status]);
    expect(exported[name]).toBe(number);
  });

  it('contains every error and constant of client and server', () => {
    expect(errorSource.spread.map(({ name }) => name).sort()).toEqual([...ERROR_NAMES].sort());
    const ours = ['DEFAULT_SIDECAR_PORT', 'DEFAULT_TARGET', 'SERVICE_TYPES', 'SPREAD_ERRORS'];
    const constants = Object.keys(exported).filter(
      (name) => /^[A-Z][A-Z_]+$/.test(name) && !name.endsWith('_HEADER'),
    );
    expect(constants.sort()).toEqual([...CONSTANT_NAMES, ...ERROR_NAMES, ...ours].sort());
  });
});

describe('the reader of the page', () => {
  it('reads cells by their headings, and only of tables of names', () => {
    const page =
      '# One\n| Name | Value |\n|---|---|\n| `A` | `1 \\| 2` |\n\n## Two\n| Other |\n|---|\n| `B` |\n';
    expect(parseRows(page)).toEqual([
      { name: 'A', section: 'One', cells: { Name: '`A`', Value: '`1 | 2`' } },
    ]);
    expect(() => parseRows('| Name | Value |\n|---|---|\n| `A` |\n')).toThrow('not 2 cells');
  });

  it('finds titles, also those in tables, and not those of skipped tests', () => {
    const source = [
      "  it('A: one', () => {});",
      "  it.skip('B: two', () => {});",
      "  it.each([\n    ['C', 1],\n    ['D', [2]],\n  ] as const)('%s: is', () => {});",
      "  it.each(['E', 'F'])(\n    '%s: is', () => {});",
      "  it.todo('G: later');",
    ];
    expect([...titleNames(source.join('\n'))].sort()).toEqual(['A', 'C', 'D', 'E', 'F']);
  });
});
