import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../../server/src/cli/context.js';
import { EXIT_CODES, ExitCode } from '../../../server/src/cli/exit-codes.js';
import { createProgram } from '../../../server/src/cli/program.js';
import { cli } from '../../support/sidecars/cli.js';
import { temporaryFolder } from '../../support/tmp.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const COMMANDS = [
  'serve',
  'daemon',
  'user',
  'send',
  'receive',
  'flood',
  'check',
  'healthcheck',
  'top',
  'tap',
  'mailboxes',
  'groups',
  'events',
  'config',
  'completion',
];

describe('spread-sidecar', () => {
  it.each([['--version'], ['-v'], ['version']])('%s prints the release', async (flag) => {
    expect(await cli([flag])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('--help names every command and exit code', async () => {
    const { exitCode, stdout } = await cli(['--help']);
    expect(exitCode).toBe(0);
    for (const name of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    for (const { code, meaning } of EXIT_CODES)
      expect(stdout).toContain(`${String(code).padEnd(4)}${meaning}`);
  });

  it('help, alone or with a command, is the same as --help', async () => {
    expect(await cli(['help'])).toEqual(await cli(['--help']));
    expect(await cli(['help', 'send'])).toEqual(await cli(['send', '--help']));
  });

  it.each(['', ...COMMANDS, 'version'])('the help of "%s" fits 80 columns', async (name) => {
    const { exitCode, stdout } = await cli([...(name === '' ? [] : [name]), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('--help SECTION shows the options of one section', async () => {
    const { exitCode, stdout } = await cli(['serve', '--help', 'log']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}--log-level <.*>\n {6}Lowest severity/m);
    expect(stdout).not.toContain('--grpc-listen');
    const unknown = await cli(['serve', '--help', 'nonsense']);
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unknown.stderr).toContain(
      "no section or option is named 'nonsense'; the sections are grpc, admin,",
    );
  });

  it.each(['tls', 'tokens', 'certs'])(
    '--help %s shows the options with that word in their name',
    async (word) => {
      const { exitCode, stdout } = await cli(['serve', '--help', word]);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(word === 'tokens' ? /^ {2}--grpc-token-file/m : /^ {2}--grpc-tls-cert/m);
      expect(stdout).not.toContain('--log-level');
    },
  );

  it('without a command prints help and fails', async () => {
    const { exitCode, stdout, stderr } = await cli([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('Usage: spread-sidecar');
  });

  it('has a separate exit code for each outcome', () => {
    const codes = EXIT_CODES.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of Object.values(ExitCode)) expect(codes).toContain(code);
  });
});

describe('a wrong command line', () => {
  const daemonConf = (text: string) => {
    const path = join(temporaryFolder(), 'spread.conf');
    writeFileSync(path, text);
    return path;
  };
  it.each<[string[], RegExp]>([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['serv'], /Did you mean serve\?/],
    [['send'], /missing required argument 'group'/],
    [['send', 'g', '--nope'], /unknown option '--nope'/],
    [['send', 'g', '--service', 'quick'], /one of unreliable, reliable, fifo, causal, agreed, safe/],
    [['send', 'g', '--service', 'toString'], /one of unreliable/],
    [['send', 'g', '--type', '32768'], /from -32768 to 32767/],
    [['send', 'g', '--type', '1e3'], /from -32768 to 32767/],
    [['send', 'g', '--timeout', '10'], /the unit is missing/],
    [['send', 'g', '--timeout', '0s'], /a duration from 1ms to 1h/],
    [['send', 'g', '-m', 'x', '--lines'], /--message and --lines cannot be combined/],
    [['receive', '--count', '0'], /a whole number from 1 to/],
    [['receive', '--count', '1', '--follow'], /cannot be used with option/],
    [['receive', '--json', '--raw'], /cannot be used with option/],
    [['receive', '--wait', 'soon'], /a duration from 1ms to 24h/],
    [['flood', '--size', '31'], /a size from 32 to 143119/],
    [['flood', '--size', '143120'], /a size from 32 to 143119/],
    [['flood', '--senders', '101'], /from 1 to 100/],
    [['flood', '--seconds', '0'], /from 1 to 86400/],
    [['flood', '--rate', '0'], /from 1 to/],
    [['tap'], /missing required argument 'group'/],
    [['tap', 'g', '--type', '9..1'], /a number such as 7, or a range such as 1\.\.9/],
    [['tap', 'g', '--type', '1..2..3'], /a range such as 1\.\.9/],
    [['tap', 'g', '--type', '1..'], /from -32768 to 32767/],
    [['tap', 'g', '--sender', ''], /a private group or a private name/],
    [['tap', 'g', '--show', 'raw'], /one of auto, text, hex, both/],
    [
      ['tap', 'g', '--min-size', '2', '--max-size', '1'],
      /--min-size is 2, which is larger than --max-size 1/,
    ],
    [['daemon', '--port', '65536'], /from 0 to 65535/],
    [['daemon', '--socket', 'here'], /--socket must be an absolute path, auto or off; got 'here'/],
    [['daemon', '--name', 'a b', '--port', '0'], /illegal byte 0x20/],
    [
      ['daemon', '--config', '/nowhere/spread.conf'],
      /cannot read the configuration file.*\/nowhere\/spread\.conf/,
    ],
    [['daemon', '--max-session-messages', '0'], /from 1 to 1000000/],
    [['serve', '--config', '/nowhere/s.yaml'], /cannot read the configuration file.*\/nowhere\/s\.yaml/],
    [['serve', '--grpc-listen', '4813'], /flag --grpc-listen: grpc\.listen must be .*the host is missing/],
    [['serve', 'extra'], /too many arguments/],
    [['check', '--log-level', 'loud'], /log\.level must be/],
    [['mailboxes', '--limit', '1001'], /from 1 to 1000/],
    [['groups', '--admin', 'unix:/run/s'], /It must be host:port/],
    [['events', '--admin', '127.0.0.1:0'], /It must be host:port/],
    [['config', '--timeout', '10'], /the unit is missing/],
  ])('%j is rejected with a message, and nothing runs', async (args, sentence) => {
    const { exitCode, stdout, stderr } = await cli(args);
    expect(stderr).toMatch(sentence);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  it('reports all mistakes of a configuration, each with its location', async () => {
    const path = join(temporaryFolder(), 's.yaml');
    writeFileSync(path, 'mailbox:\n  leaseMax: forever\n');
    const { exitCode, stderr } = await cli(['serve', '--config', path, '--admin-listen', 'x'], {
      env: { SPREAD_SIDECAR_LOG_LEVEL: 'loud', SPREAD_SIDECAR_TARGET: 'is:no.mistake' },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('3 mistakes in the configuration');
    expect(stderr).toContain('flag --admin-listen: admin.listen must be');
    expect(stderr).toContain('environment SPREAD_SIDECAR_LOG_LEVEL: log.level must be');
    expect(stderr).toContain(`${path}:2:`);
  });

  it('reports a mistake in a spread.conf with its line', async () => {
    const path = daemonConf('Spread_Segment 127.0.0.255:4999 {\n n1 127.0.0.1\n}\nNonsense = 1\n');
    const { exitCode, stderr } = await cli(['daemon', '-c', path]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${path}:4:`);
    const other = daemonConf('Spread_Segment 127.0.0.255:4999 {\n n1 127.0.0.1\n}\n');
    expect((await cli(['daemon', '-c', other, '-n', 'n2'])).stderr).toContain("no daemon has the name 'n2'");
  });

  it('does not accept a secret by flag', async () => {
    const { exitCode, stderr } = await cli(['serve', '--admin-token', 'hush']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("unknown option '--admin-token'");
  });
});

describe('serve --print-config', () => {
  it('prints the configuration with the origin of each value, without secrets', async () => {
    const { exitCode, stdout } = await cli(['serve', '--print-config', '--no-grpc-reflection'], {
      env: { SPREAD_SIDECAR_ADMIN_TOKEN: 'hush-hush-hush-hush', SPREAD_SIDECAR_DRAIN_GRACE: '3s' },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('reflection: false # flag --grpc-reflection');
    expect(stdout).toContain('grace: 3s # environment SPREAD_SIDECAR_DRAIN_GRACE');
    expect(stdout).not.toContain('hush');
  });
});

describe('docs/cli.md', () => {
  const page = readFileSync('docs/cli.md', 'utf8');

  it('has the actual exit codes', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => ({
      code: Number(code),
      meaning,
    }));
    expect(rows).toEqual(EXIT_CODES);
  });

  it('names every command and every flag that is not in the configuration', () => {
    const context = createContext({
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      env: {},
      signal: new AbortController().signal,
    });
    for (const command of createProgram(context, () => {}).commands) {
      expect(page).toContain(`## ${command.name()}`);
      const section = page.slice(page.indexOf(`## ${command.name()}`)).split('\n## ')[0];
      for (const option of command.options)
        if (option.helpGroupHeading === undefined && !option.hidden)
          expect(section, `${command.name()} ${option.long}`).toContain(option.long);
    }
    void context.close();
  });
});
