import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../../server/src/config/index.js';

const load = (text: string) => loadConfig({ file: { path: '/etc/sidecar.yaml', text } });

async function mistakes(text: string): Promise<string[]> {
  const error = await load(text).catch((e: unknown) => e);
  if (!(error instanceof ConfigError)) throw new Error('no mistake was found');
  return error.mistakes.map(({ where, message }) => `${where}: ${message}`);
}

describe('valid files', () => {
  it.each([
    ['empty', ''],
    ['comments only', '# nothing\n'],
    ['an empty section', 'grpc:\n  # listen: []\n'],
    ['a document marker', '---\nlog: {level: info}\n'],
    ['JSON', '{"log": {"level": "info"}}'],
    ['Windows lines', 'log:\r\n  level: info\r\n'],
    ['a byte order mark', '\ufefflog:\n  level: info\n'],
  ])('%s', async (_, text) => {
    expect((await load(text)).config.log.level).toBe('info');
  });

  it('reads scalars as written, not as YAML types', async () => {
    const { config } = await load(
      'grpc: {socketMode: 0660, reflection: false}\ndaemon: {addresses: 4803, allow: [4804, "4805"]}\nadmin: {token: 0123456789012345678}\n',
    );
    expect(config.grpc).toMatchObject({ socketMode: 0o660, reflection: false });
    expect(config.daemon).toMatchObject({ addresses: ['4803'], allow: ['4804', '4805'] });
    expect(config.admin.token).toBe('0123456789012345678');
  });

  it('supports anchors and reports where they are used', async () => {
    const { config, sources } = await load('mailbox:\n  leaseDefault: &t 20s\n  leaseMax: *t\n');
    expect(config.mailbox.leaseMax).toBe(20_000);
    expect(sources['mailbox.leaseMax']).toMatchObject({ line: 3, column: 13 });
  });
});

describe('mistakes in a file', () => {
  const at = '/etc/sidecar.yaml:';
  const rows: [string, string, string][] = [
    ['unknown section', 'gprc:\n  listen: x\n', `${at}1:1: unknown section "gprc"; did you mean grpc?`],
    ['an option outside of its section', 'listen: x\n', `${at}1:1: unknown section "listen"`],
    ['unknown key', 'log:\n  levle: info\n', `${at}2:3: unknown key "levle" in log; did you mean level?`],
    ['kebab case', 'log:\n    le-vel: x\n', `${at}2:5: unknown key "le-vel" in log; did you mean level?`],
    [
      'the key as the flag has it',
      'mailbox:\n  max-groups: 5\n',
      `${at}2:3: unknown key "max-groups" in mailbox; did you mean maxGroups?`,
    ],
    [
      'a key of another section',
      'grpc:\n  leaseMax: 5s\n',
      `${at}2:3: unknown key "leaseMax" in grpc; did you mean mailbox.leaseMax?`,
    ],
    [
      'nothing like it',
      'log:\n  zzz: 5s\n',
      `${at}2:3: unknown key "zzz" in log; its keys are level, format`,
    ],
    ['dots', 'log.level: info\n', `${at}1:1: "log.level" must be two levels: write log: and under it level:`],
    [
      'an empty option',
      'log:\n  level:\n',
      `${at}2:3: log.level has no value; remove the line to use the default`,
    ],
    ['null', 'log:\n  level: ~\n', `${at}2:3: log.level has no value`],
    [
      'an empty list item',
      'daemon:\n  allow: [1, null]\n',
      `${at}2:10: daemon.allow must be a list of 0 to 256`,
    ],
    [
      'a mapping for a value',
      'log:\n  level: {a: b}\n',
      `${at}2:10: log.level must be trace, debug, info, warn, error, fatal or silent; got a mapping`,
    ],
    [
      'a list for a value',
      'log:\n  level: [info]\n',
      `${at}2:10: log.level must be trace, debug, info, warn, error, fatal or silent; got a list of 1`,
    ],
    ['far too many items', `daemon:\n  allow: [${'1,'.repeat(301)}]\n`, 'got a list of 301'],
    ['a bad item', 'daemon:\n  allow:\n    - 4803\n    - x\n', `${at}3:5: daemon.allow must be`],
    ['a value for a section', 'log: info\n', `${at}1:6: log is a section; its keys are level, format`],
    ['a list at the top', '- log\n', `${at}1:1: the file must contain sections with options`],
    ['a key twice', 'log:\n  level: info\n  level: warn\n', `${at}3:3: not YAML: Map keys must be unique`],
    ['two documents', 'log:\n---\nlog:\n', `${at}2:1: not YAML: Source contains multiple documents`],
    ['a tab', 'log:\n\tlevel: info\n', `${at}2:1: not YAML: Tabs are not allowed as indentation`],
    ['an unknown tag', 'log:\n  level: !x info\n', `${at}2:10: not YAML: Unresolved tag`],
    [
      'an unknown alias',
      'log:\n  level: *x\n',
      `${at}2:10: log.level must be trace, debug, info, warn, error, fatal or silent; got an alias without`,
    ],
    ['a list that holds itself', 'daemon:\n  allow: &a [*a]\n', `${at}2:13: daemon.allow must be`],
    ['deep nesting', '['.repeat(65_000), 'not YAML: the values are nested too deeply'],
    ['too large', '#'.repeat(65_537), `${at}1:1: the file has more than 65536 characters`],
    ['a merge key', 'x: &x {}\nlog:\n  <<: *x\n', `${at}1:1: unknown section "x"`],
    ['__proto__', '__proto__:\n  level: info\n', `${at}1:1: unknown section "__proto__"`],
    ['a key of Object', 'log:\n  constructor: info\n', `${at}2:3: unknown key "constructor" in log`],
  ];
  it.each(rows)('%s', async (_, text, message) => {
    expect((await mistakes(text))[0]).toContain(message);
  });

  it.each([
    ['a value that is not closed', 'admin:\n  token: "geheim\n'],
    ['text after a value', 'admin:\n  token: "x" geheim\n'],
    ['a line that belongs nowhere', 'admin:\n  token: x\n geheim\n'],
    ['a reserved character', 'admin:\n  token: @geheim\n'],
    ['a token under an unknown key', 'admin:\n  tokn: geheim\n'],
    ['a bad escape', 'admin:\n  token: "\\geheim"\n'],
    ['a tag', 'admin:\n  token: !geheim x\n'],
  ])('does not show a secret: %s', async (_, text) => {
    for (const message of await mistakes(text)) expect(message).not.toContain('geheim');
  });

  it('limits time and memory for a file with exponential anchors', async () => {
    const bomb = Array.from(
      { length: 30 },
      (_, i) => `a${i}: &a${i} [${i ? `*a${i - 1},*a${i - 1}` : 'x'}]`,
    ).join('\n');
    expect(await mistakes(bomb)).toHaveLength(30);
  });
});
