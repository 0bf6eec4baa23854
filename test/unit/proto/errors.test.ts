import { readdirSync, readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { ErrorReason } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { optionRows } from '../../../server/src/config/option-rows.js';
import { EDGE_ERRORS, MAILBOX_ERRORS, SPREAD_ERRORS } from '../../../server/src/grpc/codec/error-table.js';
import { LIMIT_NAMES } from '../../../server/src/observability/metrics/limit-names.js';
import { SpreadCode } from '../../../server/src/spread/wire/index.js';
import { contractReasons, errorSource, type ReasonRow } from '../../support/docs/error-source.js';

const ROOT = new URL('../../../', import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const { metadata, reasons, spread, limits } = errorSource;
const errors = [...reasons, ...spread];
const layerOf = (layer: ReasonRow['layer']) => reasons.filter((reason) => reason.layer === layer);

/** The statuses of Spread's errors that clients rely on. */
const FIXED: Record<string, string[]> = {
  UNAVAILABLE: ['COULD_NOT_CONNECT', 'CONNECTION_CLOSED', 'NET_ERROR_ON_SESSION'],
  ALREADY_EXISTS: ['REJECT_NOT_UNIQUE'],
  INVALID_ARGUMENT: [
    'ILLEGAL_SPREAD',
    'REJECT_ILLEGAL_NAME',
    'REJECT_NO_NAME',
    'ILLEGAL_GROUP',
    'ILLEGAL_SERVICE',
    'ILLEGAL_MESSAGE',
    'ILLEGAL_TIME',
    'MESSAGE_TOO_LONG',
  ],
  RESOURCE_EXHAUSTED: ['REJECT_QUOTA'],
  UNAUTHENTICATED: ['REJECT_AUTH'],
  FAILED_PRECONDITION: ['REJECT_VERSION'],
  NOT_FOUND: ['ILLEGAL_SESSION'],
  INTERNAL: ['SP_BUG'],
};

/** All source text below a folder of the server, except the declarations of reasons. */
function sourcesBelow(folder: string): string {
  const below = new URL(`server/src/${folder}/`, ROOT);
  return readdirSync(below, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(sidecar-error|error-table|mailbox-types)\.ts$/.test(name))
    .map((name) => readFileSync(new URL(name, below), 'utf8'))
    .join('\n');
}

describe('the rows of proto/errors.yaml', () => {
  it('have each name and each number once', () => {
    for (const rows of [reasons, spread]) {
      const numbers = rows.map(({ number }) => number).filter((number) => number !== undefined);
      expect(new Set(numbers).size).toBe(numbers.length);
    }
    const names = errors.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(errors.map((row) => [row.name, row] as const))(
    '%s has a status, a retry and sentences',
    (_, row) => {
      expect(Object.keys(status)).toContain(row.status);
      expect(row.retry).toMatch(/^(advised|possible|never)$/);
      const { sentence, detail, client, action } = row as ReasonRow;
      for (const text of [sentence, detail, client, action])
        if (text !== undefined) expect(text).toMatch(/^[A-Z].*\.$/);
      if (row.status === 'UNAVAILABLE') expect(row.retry).toBe('advised');
    },
  );

  it.each(Object.entries(FIXED))('%s', (name, codes) => {
    for (const code of codes) expect(spread.find((row) => row.name === code)?.status).toBe(name);
  });

  it.each(reasons.map((row) => [row.name, row] as const))('%s has only known keys of metadata', (_, row) => {
    for (const key of row.metadata) expect(metadata, key).toHaveProperty(key);
  });

  it.each(limits.map((row) => [row.name, row] as const))(
    '%s is an option or fixed, and has an answer',
    (_, row) => {
      expect(optionRows.some(({ key }) => (key as string) === row.name)).toBe(!row.fixed);
      expect((row.reason === undefined) !== (row.answer === undefined)).toBe(true);
      if (row.reason === undefined) return;
      const reason = reasons.find(({ name }) => name === row.reason);
      expect(reason?.metadata).toContain('limit');
    },
  );

  it('give a reason to every limit that has one', () => {
    const without = reasons.filter(
      ({ name, metadata: keys }) => keys.includes('limit') && !limits.some(({ reason }) => reason === name),
    );
    expect(without).toEqual([]);
  });
});

describe('the contract', () => {
  const enumText = /enum ErrorReason \{\n(.*?)\n\}/s.exec(
    textOf('proto/spread/sidecar/v1/mailbox_service.proto'),
  )![1]!;
  const values = [...enumText.matchAll(/((?: {2}\/\/.*\n)+) {2}ERROR_REASON_(\w+) = (\d+);/g)].map(
    ([, comment, name, number]) => ({ name, number: Number(number), comment: comment! }),
  );

  it('has the reasons of the file with their numbers and statuses', () => {
    const [unspecified, ...named] = values;
    expect(unspecified).toMatchObject({ name: 'UNSPECIFIED', number: 0 });
    expect(
      named.map(({ name, number, comment }) => [name, number, /^ {2}\/\/ ([A-Z_]+): /.exec(comment)?.[1]]),
    ).toEqual(contractReasons.map((row) => [row.name, row.number, row.status]));
  });

  it('is generated with these reasons', () => {
    const generated = Object.entries(ErrorReason).filter(
      ([name, number]) => typeof number === 'number' && !['UNSPECIFIED', 'UNRECOGNIZED'].includes(name),
    );
    expect(generated).toEqual(contractReasons.map(({ name, number }) => [name, number]));
  });
});

describe('the tables of the server', () => {
  const rowsOf = (rows: readonly Pick<ReasonRow, 'name' | 'status' | 'retry'>[]) =>
    Object.fromEntries(
      rows.map((row) => [row.name, { status: status[row.status], advisesRetry: row.retry === 'advised' }]),
    );

  it('have the reasons of each layer', () => {
    expect(MAILBOX_ERRORS).toEqual(rowsOf(layerOf('mailbox')));
    expect(EDGE_ERRORS).toEqual(rowsOf(layerOf('grpc')));
  });

  it("have Spread's errors", () => {
    expect(SPREAD_ERRORS).toEqual(rowsOf(spread));
    const { ACCEPT_SESSION, ...failures } = SpreadCode;
    expect(ACCEPT_SESSION).toBe(1);
    expect(Object.entries(failures)).toEqual(spread.map(({ name, number }) => [name, number]));
  });

  it('have the limits', () => {
    expect(LIMIT_NAMES).toEqual(limits.map(({ name }) => name));
  });
});

describe('the layers of the server', () => {
  const mailbox = sourcesBelow('mailbox');
  const edge = sourcesBelow('grpc');

  it.each(layerOf('mailbox').map(({ name }) => name))('mailboxes raise %s', (name) => {
    expect(mailbox).toContain(`'${name}'`);
  });

  it.each(layerOf('grpc').map(({ name }) => name))('only the edge raises %s', (name) => {
    expect(edge).toContain(`'${name}'`);
    expect(mailbox).not.toContain(`'${name}'`);
  });

  it.each([...layerOf('client'), ...layerOf('none')].map(({ name }) => name))(
    'no layer of the server raises %s',
    (name) => {
      expect(mailbox).not.toContain(`'${name}'`);
      expect(edge).not.toContain(`'${name}'`);
    },
  );

  it('name only limits of the file', () => {
    const named = [`${mailbox}${edge}${sourcesBelow('sidecar')}`]
      .flatMap((text) => [...text.matchAll(/(?:limit: |reached\(|onLimit\()'([\w.]+)'/g)])
      .map(([, name]) => name);
    expect(named.length).toBeGreaterThan(10);
    for (const name of named) expect(LIMIT_NAMES).toContain(name);
  });
});
