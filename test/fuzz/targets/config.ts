import { isDeepStrictEqual } from 'node:util';
import { Command, CommanderError } from 'commander';
import { addConfigOptions } from '../../../server/src/cli/connection/serve-config.js';
import {
  ConfigError,
  flagsFromOptions,
  type LoadOptions,
  loadConfig,
  printConfig,
} from '../../../server/src/config/index.js';
import { ENVIRONMENT_PREFIX, optionRows, sectionEntries } from '../../../server/src/config/option-rows.js';
import { type Target, Violation } from '../engine/target.js';
import { words } from '../engine/text.js';

/** Values that some option accepts, and some that are almost valid. */
const VALUES = [
  ...['true', 'false', 'off', '""', '[]', '{}', 'null', '~', '0', '1', '-1', '1e3', '0x10', '0660', '4803'],
  ...['4803@localhost', '4803@[::1]', '127.0.0.1:4813', '[::1]:0', 'unix:/run/s.sock', '/tmp/4803'],
  ...[
    '30s',
    '1m30s',
    '1.5h',
    '500ms',
    '64MiB',
    '4096',
    '1 KiB',
    '0.8',
    'PAUSE',
    'DISCONNECT',
    'info',
    'json',
  ],
  ...['[4803@a, 4803@b]', 'a,b,,c', '*x', '&x', '!!binary AA==', '<<', '? a', '- a', '|', '>', '%YAML 1.2'],
  ...[
    '\u0000',
    '\u2028',
    '\ud83d\ude00',
    'a'.repeat(300),
    '9'.repeat(400),
    '__proto__',
    'constructor',
    '#',
    ': ',
  ],
];
const NAMES = optionRows.flatMap(({ name, environment, flag }) => [
  name,
  environment,
  ...(flag ? [`--${flag}`] : []),
]);
const WORDS = words(
  ...VALUES,
  ...NAMES,
  ...sectionEntries().map(([section]) => `${section}:`),
  '\n',
  '\n  ',
  ',',
  '=',
);

const WHOLE_FILE = sectionEntries()
  .map(([section]) =>
    [
      `${section}:`,
      ...optionRows
        .filter((row) => row.section === section && !row.secret)
        .map((row) => `  ${row.name}: ${JSON.stringify(row.default)}`),
    ].join('\n'),
  )
  .join('\n');

const FILES = [
  WHOLE_FILE,
  'grpc:\n  listen: [127.0.0.1:0, "unix:/run/s.sock"]\n  socketMode: 0660\nmailbox:\n  leaseDefault: 30s\n',
  'daemon: &d\n  addresses: [4803@localhost, "4803@[::1]"]\nadmin:\n  listen: off\n  token: abcdefghijklmnop1\n',
  'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\ngrpc: {listen: *c}\n',
];

/** Pieces: `file`, `environment` or `flags`, then lines. */
export const config: Target = {
  name: 'config',
  text: 'configuration: YAML files, environment variables, command lines',
  kind: 'pure',
  chunk: 300,
  lanes: 1,
  open: () => {
    const assignments = optionRows.map((row) => `${row.environment}=${row.default}`);
    const flags = optionRows.flatMap((row) => (row.flag ? [`--${row.flag}=${row.default}`] : []));
    const seeds = [
      ...FILES.map((text) => words('file', ...text.split(/(?<=\n)(?=\S)/))),
      words('environment', ...assignments),
      ...assignments.map((line) => words('environment', line)),
      ...VALUES.map((value) =>
        words('environment', `${assignments[0]}`, `SPREAD_SIDECAR_GRPC_LISTEN=${value}`),
      ),
      words('flags', ...flags),
      ...flags.map((line) => words('flags', line)),
    ];
    return {
      material: { seeds, words: WORDS, maxPieces: 60, maxPieceBytes: 3000 },
      run: async ([kind = Buffer.alloc(0), ...rest]) => {
        const texts = rest.map((piece) => piece.toString('utf8'));
        switch ((kind[0] ?? 0) % 3) {
          case 0: // file
            return load({ file: { path: 'fuzz.yaml', text: texts.join('') } });
          case 2: // environment
            return load({ env: environmentOf(texts) });
          default:
            return commandLine(texts);
        }
      },
    };
  },
};

function environmentOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=');
      const name = at < 0 ? line : line.slice(0, at);
      return [
        name.startsWith(ENVIRONMENT_PREFIX) ? name : `${ENVIRONMENT_PREFIX}${name}`,
        line.slice(at + 1),
      ];
    }),
  );
}

function commandLine(args: readonly string[]): Promise<string> | string {
  const command = addConfigOptions(new Command('serve')).exitOverride();
  command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  try {
    command.parse(['node', 'serve', ...args]);
  } catch (error) {
    if (error instanceof CommanderError) return error.code;
    throw error;
  }
  return load({ flags: flagsFromOptions(command.opts()) });
}

async function load(options: LoadOptions): Promise<string> {
  try {
    const { config, sources } = await loadConfig(options);
    const printed = printConfig(config, sources);
    if (!printed.includes('[redacted]')) {
      const again = await loadConfig({ file: { path: 'printed.yaml', text: printed } });
      if (!isDeepStrictEqual(again.config, config))
        throw new Violation('printed and read again, it is another one');
    }
    return 'taken';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.mistakes.length === 0) throw new Violation('an error without a mistake');
    for (const { option, where, message } of error.mistakes) {
      if (where === '' || message === '') throw new Violation(`a mistake that says nothing: ${option}`);
      if (message.length > 20_000) throw new Violation(`a sentence of ${message.length} characters`);
    }
    return 'mistakes';
  }
}
