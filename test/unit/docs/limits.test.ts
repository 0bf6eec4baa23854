import { existsSync, readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { optionRows } from '../../../server/src/config/option-rows.js';
import { contractReasons, errorSource } from '../../support/docs/error-source.js';
import { parseRows } from '../../support/docs/spread-api-page.js';

const PAGE = new URL('../../../docs/limits.md', import.meta.url);
const page = readFileSync(PAGE, 'utf8');
const rows = parseRows(page);
const named = rows.map((row) => [row.name, row.cells] as const);
const options = new Map(optionRows.map((row) => [row.key as string, row]));

/** The status of every reason. */
const statuses = new Map<string, string>(
  [...contractReasons, ...errorSource.spread].map((row) => [row.name, row.status]),
);
const isStatus = (word: string) => word in status;

describe('docs/limits.md', () => {
  it('has no name twice', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(45);
  });

  it('has a row for every option that limits clients', () => {
    const wanted = optionRows.map(({ key }) => key as string).filter((key) => key.startsWith('limits.'));
    expect(wanted.filter((key) => !rows.some(({ name }) => name === key))).toEqual([]);
  });

  it.each(errorSource.limits.map((limit) => [limit.name, limit] as const))(
    '%s: has a row, with the reason of the failed call',
    (limit, { reason, fixed }) => {
      const { cells } = rows.find(({ name }) => name === limit)!;
      expect(cells.Default!.startsWith('fixed: ')).toBe(fixed === true);
      if (reason !== undefined) expect(cells.Effect).toContain(reason);
      else expect([...statuses.keys()].filter((name) => cells.Effect!.includes(name))).toEqual([]);
    },
  );

  it.each(named)('%s: has the default and the range of its option, or is fixed', (name, cells) => {
    const option = options.get(name);
    if (option === undefined) {
      expect(cells.Default).toMatch(/^fixed: /);
      return;
    }
    const bounds = option.type.expects.replace(/^a (whole number|size|duration|number) /, '');
    expect(cells.Default).toBe(`\`${option.default}\`, ${bounds}`);
  });

  it.each(named)('%s: answers with a matching status and reason', (_, cells) => {
    for (const [, code, reason] of (cells.Effect ?? '').matchAll(/\b([A-Z][A-Z_]+), ([A-Z][A-Z_]+)\b/g)) {
      expect(isStatus(code!), code).toBe(true);
      expect(statuses.get(reason!), reason).toBe(code);
    }
    expect(cells.Effect).not.toBe('');
  });

  it.each(named)('%s: links to an existing test', (_, cells) => {
    const [, title, file] = /^\[(.+)\]\((\.\..+\.test\.ts)\)$/.exec(cells.Proof ?? '') ?? [];
    const proof = new URL(file ?? '', PAGE);
    expect(file !== undefined && existsSync(proof), `the file ${file}`).toBe(true);
    const text = readFileSync(proof, 'utf8');
    expect(
      ["'", '"'].some((quote) => text.includes(quote + title)),
      `a test of ${file} that begins with "${title}"`,
    ).toBe(true);
  });

  it('names every reason of a limit, and no reason, option or metric that does not exist', () => {
    const reasons = new Set([...page.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([word]) => word));
    const http2 = [
      'ENHANCE_YOUR_CALM',
      'INTERNAL_ERROR',
      'COMPRESSION_ERROR',
      'NO_ERROR',
      'RST_STREAM',
      'REFUSED_STREAM',
    ];
    const others = ['WINDOW_UPDATE', 'TLS_TIMEOUT', ...http2];
    for (const word of reasons)
      if (!isStatus(word) && !others.includes(word)) expect(statuses.has(word), word).toBe(true);
    for (const { name } of contractReasons)
      if (/^(TOO_MANY|REQUEST_|RATE_|.*_FULL$|CONNECTION_TOO)/.test(name))
        expect(reasons, name).toContain(name);
    for (const [, key] of page.matchAll(/`((?:limits|grpc|mailbox|receive|embedded|daemon)\.\w+)`/g))
      expect(options.has(key!), key).toBe(true);
    expect(page).toContain('spread_sidecar_limit_refusals_total');
  });
});
