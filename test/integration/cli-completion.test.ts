import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { cli } from '../support/sidecars/cli.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

/** The words of the command line, of which the last one is completed, and the expected words. */
const CASES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['mail'], ['mailboxes']],
  [['t'], ['tap', 'top']],
  [
    ['completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
  [['help', 'ta'], ['tap']],
  [
    ['tap', 'orders', '--sh'],
    ['--show', '--show-bytes'],
  ],
  [
    ['tap', '--show', ''],
    ['auto', 'both', 'hex', 'text'],
  ],
  [['send', 'orders', '--service', 'un'], ['unreliable']],
  [['send', 'config', '--ins'], ['--insecure']],
  [['serve', '--log-level', 'd'], ['debug']],
  [['serve', '--grpc-reflection', 't'], ['true']],
  [['mailboxes', '--sort', 'queueB'], ['queueBytes']],
  [['groups', '--limit', ''], []],
  [['send', 'orders', ''], []],
];

/** A file with the script for a shell, and a folder with one file. */
async function setUp(shell: string) {
  const folder = temporaryFolder();
  const script = join(folder, 'completion');
  const { exitCode, stdout } = await cli(['completion', shell]);
  expect(exitCode).toBe(0);
  writeFileSync(script, stdout);
  writeFileSync(join(folder, 'a file.yaml'), '');
  return { folder, script };
}

describe('completion in bash', () => {
  it('completes commands, options, values and files', async () => {
    const { folder, script } = await setUp('bash');
    const complete = (words: readonly string[]) => {
      const steps = `source "$0"; COMP_WORDS=(spread-sidecar "$@"); COMP_CWORD=$#; _spread_sidecar; for word in "\${COMPREPLY[@]}"; do echo "$word"; done`;
      const output = execFileSync('bash', ['--norc', '-c', steps, script, ...words], { encoding: 'utf8' });
      return output.split('\n').filter(Boolean).sort();
    };
    for (const [words, expected] of CASES) expect([words, complete(words)]).toEqual([words, expected]);
    expect(complete(['tap', '--show', '=', 'h'])).toEqual(['hex']);
    expect(complete(['tap', '--show', '='])).toEqual(['auto', 'both', 'hex', 'text']);
    expect(complete(['check', '--config', join(folder, 'a f')])).toEqual([join(folder, 'a file.yaml')]);
    const registered = execFileSync('bash', [
      '--norc',
      '-c',
      'source "$0"; complete -p spread-sidecar',
      script,
    ]);
    expect(String(registered)).toContain('-F _spread_sidecar spread-sidecar');
  });
});

describe.skipIf(!isAvailable('fish'))('completion in fish', () => {
  it('completes commands, options, values and files', async () => {
    const { folder, script } = await setUp('fish');
    const complete = (line: string) => {
      const steps = 'source $argv[1]; complete -C $argv[2]';
      const env = { ...process.env, HOME: folder };
      const output = execFileSync('fish', ['-N', '-c', steps, script, line], { encoding: 'utf8', env });
      return output
        .split('\n')
        .filter(Boolean)
        .map((one) => one.split('\t')[0])
        .sort();
    };
    for (const [words, expected] of CASES)
      expect([words, complete(`spread-sidecar ${words.join(' ')}`)]).toEqual([words, expected]);
    expect(complete('spread-sidecar tap --show=h')).toEqual(['--show=hex']);
    expect(complete(`spread-sidecar check --config ${folder}/a`)).toEqual([`${folder}/a file.yaml`]);
  });
});

describe.skipIf(!isAvailable('zsh') || !isAvailable('terminal'))('completion in zsh', () => {
  it('completes commands, options, values and files', async () => {
    const { folder, script } = await setUp('zsh');
    // Ctrl-X writes the edited line to a file, and clears the line.
    const settings = [
      'autoload -Uz compinit; compinit -u -D',
      `source '${script}'`,
      `show() { print -r -- "$BUFFER" > '${folder}/new'; mv '${folder}/new' '${folder}/line'; BUFFER=; }`,
      'zle -N show; bindkey "^X" show; bindkey "^I" complete-word',
      `print ready > '${folder}/line'`,
    ];
    writeFileSync(join(folder, '.zshrc'), settings.join('\n'));
    const shell = spawn('script', ['-qfc', 'zsh -i', '/dev/null'], {
      env: { ...process.env, ZDOTDIR: folder, TERM: 'xterm', SHELL: '/bin/sh' },
    });
    const exited = new Promise((resolve) => shell.once('close', resolve));
    shell.stdout.resume();
    onTestFinished(async () => {
      shell.kill('SIGKILL');
      await exited;
    });
    const file = join(folder, 'line');
    const line = async () => {
      await until(() => existsSync(file), { timeoutMs: 10_000, what: 'zsh has written its line' });
      const text = readFileSync(file, 'utf8').trimEnd();
      execFileSync('rm', [file]);
      return text;
    };
    const complete = (start: string) => {
      // For an option, the first Tab lists its description, and the second Tab inserts it.
      shell.stdin.write(`spread-sidecar ${start}${/ --[a-z-]+$/.test(start) ? '\t\t' : '\t'}\x18`);
      return line();
    };
    expect(await line()).toBe('ready');
    const unique = CASES.filter(([, words]) => words.length === 1);
    for (const [words, [expected]] of unique) {
      const start = words
        .slice(0, -1)
        .map((word) => `${word} `)
        .join('');
      expect((await complete(words.join(' '))).trimEnd()).toBe(`spread-sidecar ${start}${expected}`);
    }
    expect(await complete('tap orders --show-')).toBe('spread-sidecar tap orders --show-bytes=');
    expect(await complete('completion x')).toBe('spread-sidecar completion x');
    expect(await complete('send orders l')).toBe('spread-sidecar send orders l');
    expect((await complete('tap --show=h')).trimEnd()).toBe('spread-sidecar tap --show=hex');
    expect((await complete(`check --config ${folder}/a`)).trimEnd()).toBe(
      `spread-sidecar check --config ${folder}/a\\ file.yaml`,
    );
  }, 60_000);
});

it('completion rejects an unknown shell', async () => {
  const { exitCode, stderr } = await cli(['completion', 'csh']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Allowed choices are bash, zsh, fish');
});
