import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Event } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RealSpread } from '../support/daemons/real-spread.js';
import { pageSnippets } from '../support/docs/page-snippets.js';
import { isAvailable, pythonCommand } from '../support/requirements.mjs';
import { TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { Tool } from '../support/tool.js';
import { until } from '../support/until.js';
import { type HeaderVector, headersOf, headerVectors } from '../unit/envelope/vectors.js';

const PROGRAM = fileURLToPath(new URL('../support/native/headers.c', import.meta.url));
const hasCompiler = spawnSync('cc', ['--version']).status === 0;
const all = [...headerVectors.sent, ...headerVectors.received];

/** Checks that the C function of the page leaves out, as the page says. */
const UNCHECKED_IN_C = /^name (with|that occurs)|^value (that is not|with an)/;

const snippet = (language: string): string => {
  const found = pageSnippets().filter(
    ({ page, ...one }) => page === 'docs/headers.md' && one.language === language,
  );
  expect(found).toHaveLength(1);
  return found[0]!.text;
};

/** Compiles the native client with the function of the page. */
function compile(...options: string[]): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'open_envelope.h'), snippet('c'));
  const program = join(folder, 'headers');
  const strict = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-D_DEFAULT_SOURCE'];
  const { status, stderr } = spawnSync('cc', [...strict, '-I', folder, '-o', program, PROGRAM, ...options]);
  if (status !== 0) throw new Error(stderr.toString());
  return program;
}

const hex = (text: string) => Buffer.from(text).toString('hex');
/** A message as the native client prints it. */
const described = (headers: Iterable<readonly [string, string]>, payload: string) =>
  `${[...headers].map(([name, value]) => ` ${hex(name)}=${hex(value)}`).join('')} |${payload}`;

describe('the parsers of docs/headers.md', () => {
  it.skipIf(!hasCompiler)('the C function reads the test vectors, with the checks that it has', () => {
    const vectors = all.filter(({ name }) => !UNCHECKED_IN_C.test(name));
    expect(vectors.length).toBeGreaterThan(20);
    const input = vectors.map(({ wire }) => `${wire}\n`).join('');
    const { stdout, status } = spawnSync(compile(), ['parse'], { input, encoding: 'utf8' });
    expect(status).toBe(0);
    const sorted = (line: string) => line.split('|').map((part) => part.trim().split(' ').sort().join(' '));
    const expected = vectors.map((vector) => sorted(described(headersOf(vector), vector.payload)));
    expect(stdout.trimEnd().split('\n').map(sorted)).toEqual(expected);
  });

  it.skipIf(!isAvailable('python'))('the Python functions read and write the test vectors', () => {
    const program = `${snippet('python')}
import json
import sys

vectors = json.load(sys.stdin)
written = [write_message(v["headers"], bytes.fromhex(v["payload"])).hex() for v in vectors["sent"]]
read = [read_message(bytes.fromhex(v["wire"])) for v in vectors["sent"] + vectors["received"]]
print(json.dumps({"written": written, "read": [[list(h.items()), p.hex()] for h, p in read]}))`;
    const input = JSON.stringify(headerVectors);
    const { stdout, stderr } = spawnSync(pythonCommand(), ['-c', program], { input, encoding: 'utf8' });
    expect(stderr).toBe('');
    const { written, read } = JSON.parse(stdout) as {
      written: string[];
      read: [[string, string][], string][];
    };
    expect(written).toEqual(headerVectors.sent.map(({ wire }) => wire));
    const plain = (headers: Iterable<readonly [string, string]>, payload: string) => [
      [...headers].sort(),
      payload,
    ];
    expect(read.map(([headers, payload]) => plain(headers, payload))).toEqual(
      all.map((vector: HeaderVector) => plain(headersOf(vector), vector.payload)),
    );
  });
});

it.skipIf(!isAvailable('spread-home') || !hasCompiler)(
  'a native C client reads and writes headers between two sidecars over a real daemon',
  async () => {
    const home = process.env.SPREAD_HOME as string;
    const library = join(home, 'lib', 'libspread.a');
    const program = compile('-DWITH_SPREAD', `-I${home}/include`, library, '-lpthread', '-ldl', '-lm');
    const spread = await RealSpread.start();
    onTestFinished(() => spread.stop());
    const daemons = [`${spread.port}@127.0.0.1`];
    const open = async () => {
      const { client } = await startSidecar({ daemons });
      const mailbox = await TestMailbox.open(client, { membership: false });
      await mailbox.call('join', { group: 'room' });
      const receiving = mailbox.receive();
      onTestFinished(() => receiving.cancel());
      return { mailbox, receiving };
    };
    const [one, two] = [await open(), await open()];
    const native = new Tool(program, ['talk', daemons[0]!, 'room', '4']);
    await native.prints('joined');
    for (const { receiving } of [one, two])
      await until(() => messages(receiving.events).length >= 2, {
        what: 'the messages of the native client',
      });
    const headers = new Map([
      ['content-type', 'text/plain'],
      ['name', 'Grüße'],
    ]);
    const magic = Buffer.from('89535053480d0a', 'hex');
    await one.mailbox.send('room', 'plain');
    await one.mailbox.send('room', 'hello', { headers });
    await one.mailbox.send('room', '', { headers: new Map([['empty', '']]) });
    await one.mailbox.send('room', magic);
    expect(await native.exits()).toBe(0);
    expect(native.output.split('\n').slice(1, 5)).toEqual([
      described([], hex('plain')),
      described(headers, hex('hello')),
      described([['empty', '']], ''),
      described([], magic.toString('hex')),
    ]);
    const expected = [
      { headers: new Map(), payload: Buffer.from('plain from C\r\n') },
      { headers: new Map([['lang', 'C99']]), payload: Buffer.from('from C with a header') },
      { headers: new Map(), payload: Buffer.from('plain') },
      { headers, payload: Buffer.from('hello') },
      { headers: new Map([['empty', '']]), payload: Buffer.alloc(0) },
      { headers: new Map(), payload: magic },
    ];
    for (const { receiving } of [one, two]) {
      await until(() => messages(receiving.events).length >= expected.length);
      expect(messages(receiving.events)).toEqual(expected);
    }
  },
  60_000,
);

const messages = (events: readonly Event[]) =>
  events.flatMap(({ kind }) =>
    kind?.$case === 'regularMessage' ? [{ headers: kind.value.headers, payload: kind.value.payload }] : [],
  );
